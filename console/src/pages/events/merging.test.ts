import { expect, test } from "vitest";

import { merged, MOST, told } from "./merging";
import type { Summary } from "./types";

const event = (arrival: number, state: Summary["state"] = "delivered"): Summary => ({
  arrival, at: "", id: String(arrival), source: "/s", type: "t", subject: "", to: { kind: "Broker", namespace: "d", name: "d" },
  sender: "", state, deliveries: {}, replayOf: 0, size: 0,
});

test("the newest come first, each as it was told last", () => {
  const rows = merged([event(2), event(1, "delivering")], [event(3), event(1)]);
  expect(rows.map((row) => [row.arrival, row.state])).toEqual([[3, "delivered"], [2, "delivered"], [1, "delivered"]]);
});

test("there is a bound", () => {
  const many = Array.from({ length: MOST + 5 }, (_, n) => event(n));
  expect(merged([], many)).toHaveLength(MOST);
});

test("what comes is shown, and what no longer fits goes", () => {
  const rows = [event(1, "delivering")];
  expect(told(rows, [event(1), event(2)], {})).toMatchObject({ ask: [], rows: [{ arrival: 2 }, { arrival: 1, state: "delivered" }] });
  expect(told(rows, [event(1)], { state: "delivering" }).rows).toEqual([]);
});

test("the server is asked where only it knows", () => {
  expect(told([event(1)], [event(2), { arrival: 1 }, { arrival: 9 }], { text: "x" })).toMatchObject({ ask: [2, 1] });
});
