import { describe, expect, it } from "vitest";

import { added, bounds, even, given, inShort, moved, removed, same, shortName, targetsOf, wantedOf, type Target } from "./split";

const two = targetsOf([{ revisionName: "shop-00001", percent: 70, tag: "old" }, { latestRevision: true, percent: 30 }], "shop-00002");
const shares = (targets: readonly Target[]): number[] => targets.map((each) => each.percent);
const some = (...percents: number[]): Target[] => targetsOf(percents.map((percent, index) => ({ revisionName: `r${index}`, percent })), "");

describe("what is written back", () => {
  it("is what was there, with other shares", () => {
    expect(wantedOf(moved(two, 0, 50))).toEqual([
      { revisionName: "shop-00001", percent: 50, tag: "old" },
      { latestRevision: true, percent: 50 },
    ]);
  });
  it("still follows the latest revision", () => {
    expect(two[1]).toMatchObject({ latest: true, revision: "shop-00002" });
  });
  it("names a revision that was added", () => {
    expect(wantedOf(moved(added(two, "shop-00003"), 1, 90))[2]).toEqual({ revisionName: "shop-00003", latestRevision: false, percent: 10 });
  });
  it("keeps fields that the page does not know", () => {
    expect(wantedOf(targetsOf([{ configurationName: "job", percent: 100, later: 1 }], "job-1"))).toEqual([{ configurationName: "job", percent: 100, later: 1 }]);
  });
});

describe("a handle", () => {
  it("takes from one neighbor what it gives the other", () => expect(shares(moved(some(70, 30), 0, 50))).toEqual([50, 50]));
  it("pushes handles that are in its way", () => {
    expect(shares(moved(some(20, 30, 50), 1, 10))).toEqual([10, 0, 90]);
    expect(shares(moved(some(20, 30, 50), 0, 80))).toEqual([80, 0, 20]);
  });
  it("opens a place that has nothing yet", () => expect(shares(moved(some(100, 0), 0, 50))).toEqual([50, 50]));
  it("stays between the ends", () => {
    expect(shares(moved(some(70, 30), 0, 170))).toEqual([100, 0]);
    expect(shares(moved(some(70, 30), 0, -3))).toEqual([0, 100]);
  });
});

describe("shares", () => {
  it("always add up to a hundred", () => {
    for (const targets of [some(100), some(50, 50), some(33, 33, 34), some(1, 2, 97, 0), some(100, 0, 0)])
      for (let index = 0; index < targets.length; index += 1)
        for (let percent = 0; percent <= 100; percent += 7) {
          expect(shares(given(targets, index, percent)).reduce((a, b) => a + b)).toBe(100);
          if (index < targets.length - 1) expect(shares(moved(targets, index, percent)).reduce((a, b) => a + b)).toBe(100);
        }
    expect(shares(even(some(90, 5, 5)))).toEqual([34, 33, 33]);
  });
  it("keep their proportions when one is typed", () => expect(shares(given(some(50, 30, 20), 0, 0))).toEqual([0, 60, 40]));
  it("give what is typed to the others evenly if they had nothing", () => expect(shares(given(some(100, 0, 0), 0, 50))).toEqual([50, 25, 25]));
  it("go to a neighbor when a target goes", () => {
    expect(shares(removed(some(20, 30, 50), 1))).toEqual([50, 50]);
    expect(shares(removed(some(20, 30, 50), 0))).toEqual([50, 50]);
  });
  it("are zero where nothing is said", () => expect(shares(targetsOf([{ revisionName: "a", percent: 100 }, { revisionName: "b", tag: "t" }], ""))).toEqual([100, 0]));
});

it("tells whether anything has changed", () => {
  expect(same(two, moved(two, 0, 70))).toBe(true);
  expect(same(two, moved(two, 0, 69))).toBe(false);
  expect(same(two, added(two, "x"))).toBe(false);
});

it("says shares in short, and names by their end", () => {
  expect(inShort(some(70, 0, 30))).toBe("70 : 30");
  expect(bounds(some(20, 30, 50))).toEqual([20, 50]);
  expect(shortName("shop-00001", "shop")).toBe("-00001");
  expect(shortName("mine", "shop")).toBe("mine");
});
