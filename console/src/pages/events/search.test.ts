import { describe, expect, test } from "vitest";

import { params, parse, selectedParams, takes, withFacet } from "./search";
import type { Summary } from "./types";

const EVENT: Summary = {
  arrival: 5_000_000, at: "2026-11-26T12:00:00Z", id: "1", source: "/s", type: "t", subject: "", to: { kind: "Broker", namespace: "default", name: "default" },
  sender: "", state: "delivered", deliveries: {}, replayOf: 0, size: 0,
};

describe("what is typed", () => {
  test("facets and words", () => {
    expect(parse('type:order.paid paid state:"cut off" 17')).toEqual({ facets: { type: "order.paid", state: "cut off" }, text: "paid 17" });
  });
  test("what is no facet is a word", () => {
    expect(parse("http://x/y note:a")).toEqual({ facets: {}, text: "http://x/y note:a" });
  });
  test("an open quote goes on to the end", () => {
    expect(parse('"two words')).toEqual({ facets: {}, text: "two words" });
  });
  test("a facet is set, changed and taken out", () => {
    expect(withFacet("paid", "state", "cut off")).toBe('state:"cut off" paid');
    expect(withFacet("state:failed paid", "state", "gone")).toBe("state:gone paid");
    expect(withFacet("state:failed paid", "state", "")).toBe("paid");
  });
});

describe("what the server is asked", () => {
  test("facets win over the selection", () => {
    expect(params(parse("trigger:ns/t x"), { egress: "Trigger/a/b" }, 3000)).toEqual({ egress: "ns/t", text: "x", since: "3000000" });
  });
  test("a service selects the triggers that lead to it", () => {
    const node = (id: string, role: string) => ({ id, role });
    const edge = (source: string, target: string) => ({ source, target });
    const graph = {
      nodes: [node("Trigger/default/a", "trigger"), node("Service/default/s", "service"), node("PingSource/default/p", "source")],
      edges: [edge("Trigger/default/a", "Service/default/s"), edge("PingSource/default/p", "Service/default/s")],
    };
    expect(selectedParams({ kind: "Service", namespace: "default", name: "s" }, graph)).toEqual({ egress: "Trigger/default/a" });
    expect(selectedParams({ kind: "Broker", namespace: "default", name: "b" }, graph)).toEqual({ broker: "default/b" });
    expect(selectedParams(null, graph)).toEqual({});
  });
});

test("an event that comes is shown, left out, or asked about", () => {
  expect(takes({ type: "t" }, EVENT)).toBe(true);
  expect(takes({ type: "u", text: "x" }, EVENT)).toBe(false);
  expect(takes({ text: "x" }, EVENT)).toBe(null);
  expect(takes({ since: "6000000" }, EVENT)).toBe(false);
});
