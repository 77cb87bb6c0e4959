import { expect, test } from "vitest";

import { edge, node } from "./fixtures";
import { light, next, sentBy, type Attempt, type Row, type Story } from "./lighting";

const broker = { ...node("Broker", "default", "broker"), inbox: "Broker/shop/default" };
const orders = node("Trigger", "orders", "trigger");
const others = node("Trigger", "others", "trigger");
const ping = node("PingSource", "tick", "source");
const till = node("Service", "till", "service");
const morgue = node("Service", "morgue", "service");
const edges = [
  edge(ping, broker, "sends", ["PingSource/shop/tick|sends"]),
  edge(broker, orders, "subscribes", ["Trigger/shop/orders|in"]),
  edge(broker, others, "subscribes", ["Trigger/shop/others|in"]),
  edge(orders, till, "delivers", ["Trigger/shop/orders|subscriber"]),
  edge(till, broker, "replies", ["Trigger/shop/orders|reply"]),
  edge(broker, morgue, "dead-letters", ["Trigger/shop/orders|dead letter sink"]),
];
const graph = { nodes: [broker, orders, others, ping, till, morgue], edges };

const attempt = (leg: string, outcome: string, entered = 0): Attempt => ({ leg, outcome, status: 200, why: "", entered });
const row = (name: string, matched: boolean, attempts: Attempt[] = []): Row => ({
  kind: "Trigger", namespace: "shop", name, matched, why: matched ? "yes" : 'type is "a", and "b" is wanted', path: "", state: "delivered", attempts,
});
const story = (rows: Row[], sender = "127.0.0.1:1 curl"): Story => ({
  arrival: 1, sender, to: { kind: "Broker", namespace: "shop", name: "default" }, state: "delivered", why: "", event: {}, rows,
});
const lit = (...stories: Story[]) => Object.fromEntries([...light(graph, stories).edges].map(([id, how]) => [id.replaceAll("/shop/", " "), how]));

test("an event lights the way that it took, and who did not want it says why", () => {
  const told = story([row("orders", true, [attempt("subscriber", "delivered"), attempt("reply", "delivered", 7)]), row("others", false)]);
  expect(lit(told)).toEqual({
    "subscribes Broker default Trigger orders": "passed",
    "delivers Trigger orders Service till": "passed",
    "replies Service till Broker default": "passed",
  });
  expect(light(graph, [told]).verdicts.get(others.id)).toEqual({ matched: false, text: 'type is "a", and "b" is wanted' });
  expect(next(told)).toEqual([7]);
});

test("that nobody wants the reply does not hide that the event was wanted", () => {
  const reply = story([row("orders", false)], "reply of trigger shop/orders");
  const { verdicts } = light(graph, [story([row("orders", true)]), reply]);
  expect(verdicts.get(orders.id)?.matched).toBe(true);
});

test("a failed delivery is red, and its dead letter is lit", () => {
  const told = story([row("orders", true, [attempt("subscriber", "retrying"), attempt("subscriber", "failed"), attempt("dead letter sink", "dead-lettered")])], "pingsource shop/tick");
  expect(lit(told)).toEqual({
    "sends PingSource tick Broker default": "passed",
    "subscribes Broker default Trigger orders": "passed",
    "delivers Trigger orders Service till": "failed",
    "dead-letters Broker default Service morgue": "passed",
  });
  const { nodes } = light(graph, [told]);
  expect([till, morgue, orders].map((each) => nodes.get(each.id))).toEqual(["failed", "passed", "passed"]);
});

test("what matched nothing lights the broker alone", () => {
  const told = story([row("orders", false), row("others", false)]);
  expect(lit(told)).toEqual({});
  expect([...light(graph, [told]).nodes]).toEqual([[broker.id, "passed"]]);
});

test("who sent it is an object here, or somebody else", () => {
  expect(sentBy("pingsource shop/tick")).toBe("PingSource/shop/tick");
  expect(sentBy("reply of trigger shop/orders")).toBe("Trigger/shop/orders");
  expect(sentBy("127.0.0.1:5123 curl/8.1")).toBe("");
});
