/** What of a graph is drawn: one namespace of it, or whole namespaces as one card where all objects
 * would be too many to see. */
import type { Graph, GraphEdge, GraphNode } from "../../state/graph";

/** From how many nodes on namespaces are folded. */
export const MOST = 60;

interface Folded {
  /** The namespace that a card stands for. */
  readonly namespace: string;
  readonly objects: number;
  readonly services: number;
  /** How many of them are not ready. */
  readonly failing: number;
}

export interface Drawn {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly folded: ReadonlyMap<string, Folded>;
}

export const foldedId = (namespace: string): string => `Namespace//${namespace}`;

export function namespacesOf(graph: Graph): string[] {
  return [...new Set(graph.nodes.map((node) => node.namespace))].filter((each) => each !== "").sort();
}

/** The part of a graph that has to do with a namespace: its objects, and what they lead to. */
export function within(graph: Graph, namespace: string): Graph {
  if (namespace === "") return graph;
  const mine = new Set(graph.nodes.filter((node) => node.namespace === namespace).map((node) => node.id));
  const edges = graph.edges.filter((edge) => mine.has(edge.source) || mine.has(edge.target));
  const shown = new Set([...mine, ...edges.flatMap((edge) => [edge.source, edge.target])]);
  return { nodes: graph.nodes.filter((node) => shown.has(node.id)), edges };
}

/** Fold the namespaces that are not `open`, if there are too many nodes to draw them all. */
export function fold(graph: Graph, open: ReadonlySet<string>): Drawn {
  if (graph.nodes.length <= MOST) return { nodes: graph.nodes, edges: graph.edges, folded: new Map() };
  const members = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) if (node.namespace !== "" && !open.has(node.namespace)) push(members, node.namespace, node);
  const place = new Map<string, string>();
  const nodes = graph.nodes.filter((node) => !members.has(node.namespace));
  const folded = new Map<string, Folded>();
  for (const [namespace, inside] of members) {
    for (const node of inside) place.set(node.id, foldedId(namespace));
    folded.set(foldedId(namespace), {
      namespace,
      objects: inside.length,
      services: inside.filter((node) => node.kind === "Service").length,
      failing: inside.filter((node) => node.ready === "False").length,
    });
  }
  const cards = [...members].map(([namespace, inside]) => card(namespace, inside));
  return { nodes: [...nodes, ...cards], edges: rerouted(graph.edges, place), folded };
}

function card(namespace: string, inside: readonly GraphNode[]): GraphNode {
  const worst = (["False", "Unknown", "True"] as const).find((ready) => inside.some((node) => node.ready === ready)) ?? "";
  return {
    id: foldedId(namespace), kind: "Namespace", apiVersion: "v1", plural: "namespaces", namespace, name: namespace, role: "external",
    ready: worst, reason: "", message: "", url: "", detail: "", inbox: "", missing: false,
  };
}

function rerouted(edges: readonly GraphEdge[], place: ReadonlyMap<string, string>): GraphEdge[] {
  const found = new Map<string, GraphEdge>();
  for (const edge of edges) {
    const source = place.get(edge.source) ?? edge.source;
    const target = place.get(edge.target) ?? edge.target;
    if (source === edge.source && target === edge.target) {
      found.set(edge.id, edge);
    } else if (source !== target) {
      const id = `${edge.role} ${source} ${target}`;
      const known = found.get(id);
      found.set(id, { ...edge, id, source, target, label: "", via: "", flows: [...new Set([...(known?.flows ?? []), ...edge.flows])] });
    }
  }
  return [...found.values()];
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const found = map.get(key);
  if (found) found.push(value);
  else map.set(key, [value]);
}
