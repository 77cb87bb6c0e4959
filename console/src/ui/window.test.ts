import { expect, test } from "vitest";

import { anchored, LONG, slotted, towards, windowOf } from "./window";

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

test("rows that stay keep their elements, and those that come take what is free", () => {
  const first = slotted(new Map(), ["c", "b", "a"]);
  expect([...first]).toEqual([["c", 0], ["b", 1], ["a", 2]]);
  const second = slotted(first, ["e", "d", "c"]);
  expect([...second]).toEqual([["e", 1], ["d", 2], ["c", 0]]);
  expect([...slotted(second, ["x", "y", "z"])]).toEqual([["x", 0], ["y", 1], ["z", 2]]);
  // What has the keyboard is no other row of a sudden.
  expect([...slotted(second, ["x", "y", "z"], "c")]).toEqual([["x", 1], ["y", 2], ["z", 3]]);
});
