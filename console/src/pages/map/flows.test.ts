import { expect, test } from "vitest";

import { counted, Flows, rateText } from "./flows";

test("counts add up, and rates fall to nothing ten seconds after the last", () => {
  const flows = new Flows();
  flows.take({ a: [10, 1], b: [5, 0] }, 100);
  flows.take({ a: [10, 0] }, 104);
  expect(flows.sum(["a", "b", "c"], 105)).toEqual({ count: 25, failed: 1, rate: 2.5 });
  expect(flows.moving(113)).toBe(true);
  expect(flows.sum(["a", "b"], 112)).toEqual({ count: 25, failed: 1, rate: 1 });
  expect(flows.moving(115)).toBe(false);
  expect(flows.sum(["a", "b"], 115).rate).toBe(0);
});

test("the last message is not counted again when the map is opened again", () => {
  const flows = new Flows();
  const message = { a: [3, 0] } as const;
  flows.take(message, 100);
  flows.take(message, 100);
  expect(flows.sum(["a"], 100).count).toBe(3);
});

test("a rate is told where it is more than a trickle", () => {
  const text = (count: number, rate: number) => counted({ count, failed: 0, rate }, (each) => `${each}/s`);
  expect([text(0, 0), text(3, 0.3), text(1200, 40)]).toEqual(["", "3", "1.2K · 40/s"]);
});

test("a rate has the digits that say something", () => {
  expect([0.25, 9.94, 12.4, 11_925].map(rateText)).toEqual(["0.3", "9.9", "12", "11.9K"]);
});

test("what comes in a flood is not shown one by one, until it ebbs", () => {
  const flows = new Flows();
  flows.take({ a: [4, 0], b: [2, 0] }, 100);
  expect(flows.flooded(["a", "b"], 100)).toBe(false);
  flows.take({ a: [30, 0], b: [3, 0] }, 100.1);
  expect([flows.flooded(["a"], 101), flows.flooded(["b"], 101), flows.inAll(101)]).toEqual([true, false, false]);
  flows.take({ c: [900, 0] }, 100.2);
  expect([flows.inAll(101), flows.flooded(["b"], 101), flows.flooded(["d"], 101)]).toEqual([true, true, false]);
  expect([flows.inAll(103), flows.flooded(["a"], 103)]).toEqual([false, false]);
});
