import { expect, test } from "vitest";

import { format, parse, reached } from "./selection";
import type { EdgeRole, Graph } from "./state/graph";

const edge = (source: string, target: string, role: EdgeRole = "delivers") => ({ id: `${source}>${target}`, source, target, role, label: "", via: "", flows: [], shared: false });
const SYSTEM: Graph = {
  nodes: [],
  edges: [edge("P", "B", "sends"), edge("B", "T1", "subscribes"), edge("B", "T2", "subscribes"), edge("T1", "S1"), edge("T2", "S2"), edge("T1", "B", "replies")],
};

test("a service has to do with its trigger, the broker and the source, not with its neighbor", () => {
  expect([...reached(SYSTEM, "S1")].sort()).toEqual(["B", "P", "S1", "T1"]);
});

test("a broker has to do with all that is behind it", () => {
  expect([...reached(SYSTEM, "B")].sort()).toEqual(["B", "P", "S1", "S2", "T1", "T2"]);
});

test("a selection is kept in the address", () => {
  const what = { kind: "Trigger", namespace: "default", name: "orders" };
  expect(parse(format(what))).toEqual(what);
  for (const text of ["", "Trigger", "Trigger/default", "Trigger/default/", "a/b/c/d"]) expect(parse(text)).toBeNull();
});
