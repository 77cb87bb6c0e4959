import { expect, test } from "vitest";

import { bars, nextIn } from "./timeline";
import type { Attempt, Row } from "./types";

const attempt = (at: number, seconds: number, more: Partial<Attempt> = {}): Attempt => ({
  at: new Date(at).toISOString(), seconds, leg: "subscriber", target: "", attempt: 1, status: 200, outcome: "delivered", why: "", instance: "", nextIn: null, again: false, answer: "", entered: 0, ...more,
});
const row = (last: Attempt, state: Row["state"] = "delivering"): Row => ({
  kind: "Trigger", namespace: "d", name: "t", uid: "", matched: true, why: "", path: "", parts: [], filter: {}, state, attempts: [last], leftOut: 0,
});

test("bars lie where their time was", () => {
  const [first, second] = bars([attempt(1500, 0.5), attempt(2000, 0.1)], 1000);
  expect([first?.left, first?.width]).toEqual([0, 0.5]);
  expect(second?.left).toBeCloseTo(0.9);
});

test("a bar of no time can be seen, and none leaves the line", () => {
  for (const bar of bars([attempt(1000, 0), attempt(900, 5), attempt(9000, 0)], 1000)) {
    expect(bar.width).toBeGreaterThan(0);
    expect(bar.left + bar.width).toBeLessThanOrEqual(1);
  }
});

test("the next attempt is counted down", () => {
  const retrying = attempt(1000, 0, { outcome: "retrying", nextIn: 2 });
  expect(nextIn(row(retrying), 1500)).toBe(1.5);
  expect(nextIn(row(retrying), 9000)).toBe(0);
  expect(nextIn(row(retrying, "gone"), 1500)).toBeNull();
  expect(nextIn(row(attempt(1000, 0)), 1500)).toBeNull();
});
