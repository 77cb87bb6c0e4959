import { describe, expect, it } from "vitest";

import { segments } from "../../ui/stages";
import { asked, joined, keyOf, matches, MOST_ROWS, ownTime, reach, ticks, type Filter, type Row } from "./model";

const ALL: Filter = { text: "", service: "", status: "", cold: false, slower: 0, event: "", revision: "", instance: "" };

function row(changes: Partial<Row> = {}): Row {
  return {
    id: "r", number: 1, at: "2026-01-02T10:00:00Z", namespace: "shop", service: "cart", revision: "cart-00001", instance: "cart-00001-x",
    method: "GET", host: "cart.shop.localhost", path: "/", status: 200, seconds: 1, waited: 0, firstByte: 0.5, cold: false, how: "", why: "", event: "", stages: [],
    ...changes,
  };
}

describe("a list of requests", () => {
  it("has the newest first and each once", () => {
    const rows = [row({ number: 2 }), row({ number: 1 })];
    expect(joined(rows, [row({ number: 3 }), row({ number: 2 })]).map((each) => each.number)).toEqual([3, 2, 1]);
    expect(joined(rows, [row({ number: 2 })])).toBe(rows);
  });
  it("tells requests of two runs apart, which are numbered alike", () => {
    expect(joined([row()], [row({ at: "2026-01-02T11:00:00Z" })])).toHaveLength(2);
  });
  it("is bounded", () => {
    const rows = Array.from({ length: MOST_ROWS }, (_, number) => row({ number }));
    expect(joined(rows, [row({ number: 5000 })])).toHaveLength(MOST_ROWS);
  });
  it.each<[Partial<Filter>, Partial<Row>, boolean]>([
    [{}, {}, true],
    [{ service: "shop/cart" }, {}, true],
    [{ service: "shop/cart" }, { namespace: "other" }, false],
    [{ status: "failed" }, { status: 0 }, true],
    [{ status: "failed" }, { status: 404 }, false],
    [{ status: "4xx" }, { status: 404 }, true],
    [{ status: "404" }, { status: 400 }, false],
    [{ cold: true }, {}, false],
    [{ slower: 2 }, {}, false],
    [{ text: "PAY" }, { path: "/pay/1" }, true],
    [{ text: "nothing" }, {}, false],
    [{ event: "e-1" }, { event: "e-1" }, true],
    [{ event: "e-1" }, {}, false],
    [{ revision: "cart-00002" }, {}, false],
  ])("keeps %o of %o: %s", (filter, changes, kept) => {
    expect(matches(row(changes), { ...ALL, ...filter })).toBe(kept);
  });
  it("asks the server for the same", () => {
    expect(asked(ALL)).toBe("limit=500");
    expect(asked({ ...ALL, text: "a b", service: "n/s", status: "5xx", cold: true, slower: 0.1 })).toBe("limit=500&text=a+b&service=n%2Fs&status=5xx&cold=true&slower=0.1");
  });
  it("has keys that say which run", () => expect(keyOf(row())).toBe("1@2026-01-02T10:00:00Z"));
});

describe("a bar", () => {
  const stage = (name: string, start: number, end: number) => ({ name, start, end, why: "" });
  it("shows short stages too, within its bounds", () => {
    const found = segments([stage("queued", 0, 0), stage("app", 0, 0.9999), stage("body", 0.9999, 1)], 1);
    expect(found.map((each) => each.name)).toEqual(["app", "body"]);
    expect(found[1]?.width).toBe(0.75);
    expect((found[1]?.left ?? 0) + (found[1]?.width ?? 0)).toBeLessThanOrEqual(100);
  });
  it("is one piece if no time has passed", () => expect(segments([stage("app", 0, 0)], 0)).toEqual([{ name: "app", left: 0, width: 100 }]));
  it("grows with the time", () => {
    expect(reach(0)).toBe(8);
    expect(reach(0.01)).toBeLessThan(reach(1));
    expect(reach(3600)).toBe(100);
  });
  it("has round moments on its axis", () => {
    expect(ticks(1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks(0.347)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(ticks(0)).toEqual([0]);
  });
  it("has the time of the app by itself", () => {
    expect(ownTime([stage("queued", 0, 1), stage("app", 1, 3), stage("body", 3, 4)])).toEqual({ first: 2, last: 3 });
    expect(ownTime([stage("queued", 0, 1)])).toBeNull();
  });
});
