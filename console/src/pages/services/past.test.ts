import { expect, it } from "vitest";

import { known, past, rate, type Told } from "./past";

const T = 1_700_000_000;
const told = (second: number, more: Partial<Told> = {}): Told => ({ at: new Date((T + second) * 1000 + 300).toISOString(), requests: 0, failed: 0, concurrency: 0, ready: 0, desired: 0, frozen: 0, ...more });

it("levels hold until they are told anew, requests do not", () => {
  const found = past([[told(0, { ready: 2, requests: 5 }), told(3, { ready: 1, requests: 1, failed: 1 })]], T + 5.9, 6);
  expect(found.times).toEqual([T, T + 1, T + 2, T + 3, T + 4, T + 5]);
  expect(found.ready).toEqual([2, 2, 2, 1, 1, 1]);
  expect(found.requests).toEqual([5, 0, 0, 1, 0, 0]);
  expect(found.failed).toEqual([0, 0, 0, 1, 0, 0]);
});

it("nothing is known before the first word", () => {
  const found = past([[told(4, { ready: 1 })]], T + 5, 6);
  expect(found.ready).toEqual([null, null, null, null, 1, 1]);
  expect(known(found.ready)).toEqual([1, 1]);
  expect(past([], T, 3).requests).toEqual([null, null, null]);
});

it("what was told before it begins is still so", () => {
  expect(past([[told(-50, { ready: 3, requests: 9 })]], T + 2, 3)).toMatchObject({ ready: [3, 3, 3], requests: [0, 0, 0] });
});

it("revisions are added up", () => {
  const found = past([[told(0, { ready: 1, requests: 2 })], [told(1, { ready: 2, requests: 3 })]], T + 2, 3);
  expect(found.ready).toEqual([1, 3, 3]);
  expect(found.requests).toEqual([2, 3, 0]);
});

it("the rate is that of the last seconds", () => {
  const found = past([[told(0), told(1, { requests: 3 }), told(2, { requests: 6 }), told(3, { requests: 9 })]], T + 3, 5);
  expect(rate(found)).toBe(6);
});
