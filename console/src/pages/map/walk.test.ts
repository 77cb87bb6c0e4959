import { expect, test } from "vitest";

import { edge, node } from "./fixtures";
import { walk } from "./walk";

const broker = node("Broker", "default", "broker");
const upper = node("Trigger", "a", "trigger");
const lower = node("Trigger", "b", "trigger");
const lone = node("Service", "x", "service");
const at = new Map([[broker.id, { x: 0, y: 50 }], [upper.id, { x: 300, y: 0 }], [lower.id, { x: 300, y: 120 }], [lone.id, { x: 0, y: 400 }]]);
const edges = [edge(broker, upper, "subscribes"), edge(broker, lower, "subscribes")];

test("arrows walk along edges, then to whoever is next", () => {
  expect(walk(broker.id, "ArrowRight", at, edges, "right")).toBe(upper.id);
  expect(walk(lower.id, "ArrowLeft", at, edges, "right")).toBe(broker.id);
  expect(walk(upper.id, "ArrowDown", at, edges, "right")).toBe(lower.id);
  expect(walk(broker.id, "ArrowDown", at, edges, "right")).toBe(lone.id);
  expect(walk(lone.id, "ArrowLeft", at, edges, "right")).toBeUndefined();
});
