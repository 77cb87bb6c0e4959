import { expect, test } from "vitest";

import type { GraphNode } from "../../state/graph";
import { edge, node } from "./fixtures";
import { place, type Options, type Placed } from "./layout";

const options: Options = { direction: "right", card: { width: 200, height: 64 }, aspect: 1.6 };
const ping = node("PingSource", "tick", "source");
const broker = node("Broker", "default", "broker");
const trigger = node("Trigger", "orders", "trigger");
const till = node("Service", "till", "service");
const morgue = node("Service", "morgue", "service");
const chain = [edge(ping, broker, "sends"), edge(broker, trigger, "subscribes"), edge(trigger, till, "delivers"), edge(till, broker, "replies")];

const at = (placed: Placed, which: GraphNode) => {
  const found = placed.at.get(which.id);
  if (!found) throw new Error(`${which.id} has no place`);
  return found;
};

test("sources stand left of brokers, triggers and services, replies notwithstanding", () => {
  const placed = place([till, trigger, ping, broker], chain, options);
  const columns = [ping, broker, trigger, till].map((each) => at(placed, each).x);
  expect(columns).toEqual([...columns].sort((a, b) => a - b));
  expect(new Set(columns).size).toBe(4);
  expect(placed.ways.size).toBe(4);
});

test("on a narrow screen the stream runs down", () => {
  const placed = place([ping, broker, trigger, till], chain, { ...options, direction: "down" });
  const rows = [ping, broker, trigger, till].map((each) => at(placed, each).y);
  expect(rows).toEqual([...rows].sort((a, b) => a - b));
});

test("what only dead letters lead to stands below everything else", () => {
  const other = node("Trigger", "zz", "trigger");
  const nodes = [broker, trigger, other, till, morgue];
  const edges = [...chain.slice(1), edge(broker, other, "subscribes"), edge(other, till, "delivers"), edge(broker, morgue, "dead-letters")];
  const placed = place(nodes, edges, options);
  for (const each of [broker, trigger, other, till]) expect(at(placed, morgue).y).toBeGreaterThan(at(placed, each).y + 63);
});

test("no two cards overlap, and all lie within the whole", () => {
  const many = Array.from({ length: 40 }, (_, index) => node("Trigger", `t${index}`, "trigger", `ns${index % 5}`));
  const brokers = Array.from({ length: 5 }, (_, index) => node("Broker", "b", "broker", `ns${index}`));
  const lone = Array.from({ length: 7 }, (_, index) => node("Service", `s${index}`, "service", "ns1"));
  const edges = many.map((each, index) => edge(brokers[index % 5] ?? broker, each, "subscribes"));
  const placed = place([...many, ...brokers, ...lone], edges, options);
  const points = [...placed.at.values()];
  expect(points).toHaveLength(52);
  points.forEach((a, index) => {
    expect(a.x + 200).toBeLessThanOrEqual(placed.width);
    expect(a.y + 64).toBeLessThanOrEqual(placed.height);
    for (const b of points.slice(index + 1)) expect(Math.abs(a.x - b.x) >= 200 || Math.abs(a.y - b.y) >= 64).toBe(true);
  });
});

test("what is added does not change the order of what was there", () => {
  const names = ["m", "f", "q", "b"].map((name) => node("Trigger", name, "trigger"));
  const services = names.map((each) => node("Service", each.name, "service"));
  const joined = names.flatMap((each, index) => [edge(broker, each, "subscribes"), edge(each, services[index] ?? till, "delivers")]);
  const before = place([broker, ...names, ...services], joined, options);
  const added = node("Trigger", "a", "trigger");
  const sink = node("Service", "a", "service");
  const after = place([added, sink, broker, ...names, ...services], [edge(broker, added, "subscribes"), edge(added, sink, "delivers"), ...joined], options, before);
  const order = (placed: Placed) => [...names].sort((a, b) => at(placed, a).y - at(placed, b).y).map((each) => each.name);
  expect(order(after)).toEqual(order(before));
});

test("what has not changed is not laid out again", () => {
  const other = node("Service", "lone", "service");
  const before = place([ping, broker, trigger, till], chain, options);
  const after = place([ping, broker, { ...trigger, ready: "False" }, till, other], chain, options, before);
  const known = [...before.parts][0];
  expect(after.parts.get(known?.[0] ?? "")?.at).toBe(known?.[1].at);
});

test("a hundred nodes are placed within a frame or three", () => {
  const nodes = Array.from({ length: 100 }, (_, index) => node(index % 2 ? "Service" : "Trigger", `n${index}`, index % 2 ? "service" : "trigger"));
  const edges = nodes.flatMap((each, index) => (index % 2 ? [] : [edge(broker, each, "subscribes"), edge(each, nodes[(index * 7 + 1) % 100 | 1] ?? till, "delivers")]));
  place([broker, ...nodes], edges, options);
  const began = performance.now();
  place([broker, ...nodes], edges, options);
  // Measured at some 25 ms; the limit says that nothing has become quadratic.
  expect(performance.now() - began).toBeLessThan(500);
});

test("whatever leads to whatever, everything has a place of its own, also after changes", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  const roles = ["sends", "subscribes", "delivers", "replies", "dead-letters", "binds"] as const;
  const kinds = ["broker", "trigger", "service", "source", "channel"] as const;
  let before: Placed | undefined;
  for (let round = 0; round < 40; round += 1) {
    const nodes = Array.from({ length: 1 + random(18) }, (_, index) => node("K", `n${index}`, kinds[random(5)] ?? "service", `ns${random(3)}`));
    const pick = () => nodes[random(nodes.length)] ?? broker;
    const edges = Array.from({ length: random(24) }, () => edge(pick(), pick(), roles[random(6)] ?? "sends"));
    const unique = [...new Map(edges.map((each) => [each.id, each])).values()];
    before = place(nodes, unique, { ...options, direction: round % 4 === 3 ? "down" : "right" }, before);
    const points = nodes.map((each) => before?.at.get(each.id));
    expect(new Set(points.map((point) => `${point?.x},${point?.y}`)).size).toBe(nodes.length);
    for (const each of unique) expect(before.ways.get(each.id)?.d).toMatch(/^M-?\d+,-?\d+ C(-?\d+,-?\d+ ?){3}$/);
  }
});
