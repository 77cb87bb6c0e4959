/** What is selected on the map, and filters every page: kept in the address as `at=Kind/ns/name`. */
import { computed } from "@preact/signals";

import { ask, route } from "./router";
import { graph, type Graph } from "./state/graph";

export interface Selection {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export const selection = computed<Selection | null>(() => parse(route.value.query["at"] ?? ""));

export function parse(text: string): Selection | null {
  const [kind, namespace, name, ...more] = text.split("/");
  if (!kind || !namespace || !name || more.length > 0) return null;
  return { kind, namespace, name };
}

export const format = (what: Selection): string => `${what.kind}/${what.namespace}/${what.name}`;

export function select(what: Selection | null): void {
  ask({ at: what ? format(what) : undefined });
}

/** What has to do with the selection: everything that leads to it, and everything it leads to.
 * Replies and dead letters lead back, so they are not followed: through them everything would have
 * to do with everything. Null: everything. */
export const covered = computed<ReadonlySet<string> | null>(() => (selection.value ? reached(graph.value, format(selection.value)) : null));

/** Whether something is shown while this is selected. */
export function covers(kind: string, namespace: string, name: string): boolean {
  return covered.value?.has(`${kind}/${namespace}/${name}`) ?? true;
}

export function reached(system: Graph, start: string): Set<string> {
  const edges = system.edges.filter((edge) => edge.role !== "replies" && edge.role !== "dead-letters");
  const follow = (from: "source" | "target", to: "source" | "target"): string[] => {
    const found = new Set([start]);
    for (const id of found) for (const edge of edges) if (edge[from] === id) found.add(edge[to]);
    return [...found];
  };
  return new Set([...follow("source", "target"), ...follow("target", "source")]);
}
