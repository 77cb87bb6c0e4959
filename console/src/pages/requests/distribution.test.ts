import { expect, it } from "vitest";

import { chartOf } from "./distribution";

it("places each bin at its middle, on a scale where doubling is a step", () => {
  expect(chartOf([{ start: 1, end: 4, count: 7 }])).toEqual([[2], [7]]);
});

it("tells of gaps, and of a bin that begins at nothing", () => {
  const [x, y] = chartOf([{ start: 0, end: 0.0002, count: 1 }, { start: 0.01, end: 0.04, count: 2 }]);
  expect(y).toEqual([1, 0, 2]);
  expect(x.every((each) => each > 0)).toBe(true);
});

it("shows nothing of nothing", () => expect(chartOf([])).toEqual([[], []]));
