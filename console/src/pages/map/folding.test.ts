import { expect, test } from "vitest";

import { fold, foldedId, within } from "./folding";
import { edge, node } from "./fixtures";

const broker = (namespace: string) => node("Broker", "b", "broker", namespace);
const triggers = (namespace: string) => Array.from({ length: 40 }, (_, index) => node("Trigger", `t${index}`, "trigger", namespace));
const [here, there] = [triggers("here"), triggers("there")];
const edges = [...here.map((each) => edge(broker("here"), each, "subscribes", [`${each.id}|in`])), ...there.map((each) => edge(broker("there"), each, "subscribes"))];
const across = edge(here[0] ?? broker("here"), broker("there"), "delivers", ["x"]);
const again = edge(here[1] ?? broker("here"), broker("there"), "delivers", ["y"]);
const graph = { nodes: [broker("here"), broker("there"), ...here, ...there], edges: [...edges, across, again] };

test("a graph that is too large is folded by namespace, and an opened one is not", () => {
  const drawn = fold(graph, new Set());
  expect(drawn.nodes.map((each) => each.id)).toEqual([foldedId("here"), foldedId("there")]);
  expect(drawn.edges).toHaveLength(1);
  expect(drawn.edges[0]?.flows).toEqual(["x", "y"]);
  expect(drawn.folded.get(foldedId("here"))).toEqual({ namespace: "here", objects: 41, services: 0, failing: 0 });
  const opened = fold(graph, new Set(["here"]));
  expect(opened.nodes).toHaveLength(42);
  expect(opened.edges.filter((each) => each.target === foldedId("there"))).toHaveLength(2);
});

test("a small one stays as it is, and one namespace shows what it leads to", () => {
  expect(fold(within(graph, "there"), new Set()).nodes).toHaveLength(43);
  expect(within(graph, "").nodes).toHaveLength(82);
});
