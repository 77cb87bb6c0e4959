import { expect, test } from "vitest";

import { anchored, LONG, towards, windowOf } from "./window";

test("a short list is drawn whole, of a long one what is seen and a little more", () => {
  expect(windowOf(LONG, 32, 5000, 400)).toEqual({ first: 0, end: LONG });
  const { first, end } = windowOf(10_000, 32, 3200, 320);
  expect(first).toBeLessThanOrEqual(100);
  expect(end).toBeGreaterThanOrEqual(110);
  expect(end - first).toBeLessThan(60);
});

test("the window stays within a list that has become shorter", () => {
  const { first, end } = windowOf(200, 32, 1_000_000, 400);
  expect(first).toBeLessThanOrEqual(end);
  expect(end).toBe(200);
});

test("rows that are added above do not move what is read", () => {
  expect(anchored(["c", "d", "e"], ["a", "b", "c", "d", "e"], 10, 15)).toBe(35);
  expect(anchored(["c", "d"], ["a", "c", "d"], 10, 0)).toBe(0);
  expect(anchored(["c", "d"], ["d"], 10, 5)).toBe(-5);
});

test("a row out of sight is scrolled to, and no further", () => {
  expect(towards(3, 10, 0, 100)).toBeNull();
  expect(towards(3, 10, 50, 100)).toBe(30);
  expect(towards(20, 10, 0, 100)).toBe(110);
});
