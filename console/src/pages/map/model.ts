/** What the map knows while it is open. */
import { computed, signal } from "@preact/signals";

import { graph, type GraphEdge, type GraphNode } from "../../state/graph";
import { instances, type Instance } from "../../state/instances";
import { ask, route } from "../../router";
import { select, selection } from "../../selection";
import { Flows } from "./flows";
import { fold, foldedId, namespacesOf, within, type Drawn } from "./folding";
import type { Direction, Size } from "./layout";
import type { Lit, Story } from "./lighting";

export const flows = new Flows();
/** Another number whenever counts or rates are others. */
export const beat = signal(0);
export const seconds = (): number => Date.now() / 1000;

export const namespace = computed(() => route.value.query["ns"] ?? "");
export const namespaces = computed(() => namespacesOf(graph.value));
export const opened = signal<ReadonlySet<string>>(new Set());
export const drawn = computed<Drawn>(() => fold(within(graph.value, namespace.value), opened.value));
export const nodesById = computed<ReadonlyMap<string, GraphNode>>(() => new Map(graph.value.nodes.map((node) => [node.id, node])));

/** Whose name the address says is selected; what has no namespace is selected here alone. */
export const chosen = computed<string>(() => {
  const at = selection.value;
  return at ? `${at.kind}/${at.namespace}/${at.name}` : (route.value.query["node"] ?? "");
});

export function choose(node: GraphNode | null): void {
  if (node?.kind === "Namespace") {
    opened.value = new Set([...opened.value, node.namespace]);
  } else if (node && node.namespace === "") {
    ask({ at: undefined, node: node.id });
  } else {
    if (route.value.query["node"]) ask({ node: undefined });
    select(node ? { kind: node.kind, namespace: node.namespace, name: node.name } : null);
  }
}

/** The card of a node: its own, or that of its namespace. */
export function cardOf(id: string): string {
  const node = nodesById.value.get(id);
  return node && drawn.value.folded.has(foldedId(node.namespace)) ? foldedId(node.namespace) : id;
}

/** Open the namespaces in which these are, if they are folded. */
export function reveal(ids: Iterable<string>): void {
  const wanted = [...ids].map((id) => nodesById.value.get(id)?.namespace ?? "").filter((each) => each !== "" && !opened.peek().has(each));
  if (wanted.length > 0 && drawn.peek().folded.size > 0) opened.value = new Set([...opened.peek(), ...wanted]);
}

export const byService = computed<ReadonlyMap<string, readonly Instance[]>>(() => {
  const found = new Map<string, Instance[]>();
  for (const instance of instances.value) {
    const key = `Service/${instance.namespace}/${instance.service}`;
    const known = found.get(key);
    if (known) known.push(instance);
    else found.set(key, [instance]);
  }
  return found;
});

/** The card that the keyboard is on, and the one that is pointed at. */
export const focused = signal("");
export const pointed = signal("");

export const size = signal<Size>({ width: 0, height: 0 });
export const direction = computed<Direction>(() => ((size.value.width || innerWidth) < 640 ? "down" : "right"));
export const CARDS: Readonly<Record<Direction, Size>> = { right: { width: 200, height: 74 }, down: { width: 156, height: 74 } };

/** How wide the panel is that lies above the drawing, and how much of a narrow one it takes. */
const PANEL = { width: 352, share: 0.6, from: 900 };

/** The part of the drawing that the panel leaves free. */
export function uncovered(): Size {
  const { width, height } = size.peek();
  if (chosen.peek() === "") return { width, height };
  return innerWidth < PANEL.from ? { width, height: height * (1 - PANEL.share) } : { width: width - PANEL.width, height };
}

/** The path of one event, while the address names one. */
export const stories = signal<readonly Story[]>([]);
export const lit = signal<Lit | null>(null);

/** Whether an edge has to do with what is pointed at, focused or selected. */
export function touches(edge: GraphEdge): boolean {
  return [pointed.value, focused.value, cardOf(chosen.value)].some((id) => id !== "" && (edge.source === id || edge.target === id || edge.via === id));
}
