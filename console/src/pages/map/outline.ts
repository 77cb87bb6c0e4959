/** The same as a list: who leads to whom, in words. */
import type { Graph, GraphEdge, GraphNode } from "../../state/graph";

export interface Entry {
  readonly node: GraphNode;
  readonly out: readonly { readonly edge: GraphEdge; readonly to: GraphNode }[];
}

interface Section {
  readonly namespace: string;
  readonly entries: readonly Entry[];
}

const ORDER = ["source", "broker", "channel", "flow", "trigger", "subscription", "service", "sink", "external"];

/** By namespace, then from sources to sinks. */
export function outline(graph: Graph): Section[] {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const out = new Map<string, { edge: GraphEdge; to: GraphNode }[]>();
  for (const edge of graph.edges) {
    const to = nodes.get(edge.target);
    if (to) out.set(edge.source, [...(out.get(edge.source) ?? []), { edge, to }]);
  }
  const sections = new Map<string, Entry[]>();
  for (const node of [...graph.nodes].sort(compare)) {
    const found = sections.get(node.namespace) ?? [];
    sections.set(node.namespace, found);
    found.push({ node, out: out.get(node.id) ?? [] });
  }
  return [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([namespace, entries]) => ({ namespace, entries }));
}

function compare(a: GraphNode, b: GraphNode): number {
  return ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || (a.name < b.name ? -1 : 1);
}
