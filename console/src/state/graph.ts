/** The graph of the system, as the feed's topic `graph` and `/knlite/graph` tell it. */
import { signal } from "@preact/signals";

import { following } from "./follow";

export type NodeRole = "source" | "broker" | "trigger" | "channel" | "subscription" | "flow" | "service" | "sink" | "external";
export type EdgeRole = "sends" | "subscribes" | "delivers" | "replies" | "dead-letters" | "binds";

export interface GraphNode {
  /** `Kind/namespace/name`; a URL that leads out of here is a `URI//…`. */
  readonly id: string;
  readonly kind: string;
  /** With `plural` the way to it in the Kubernetes API; both empty for what has none. */
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly role: NodeRole;
  /** Its Ready condition; empty for what has none. */
  readonly ready: "True" | "False" | "Unknown" | "";
  readonly reason: string;
  readonly message: string;
  readonly url: string;
  /** What else is to be known at first sight: a schedule, a class, a filter, topics. */
  readonly detail: string;
  /** What takes events for it, as facts name it: `Kind/namespace/name`; empty: nothing. */
  readonly inbox: string;
  /** Something refers to it, and it is not there. */
  readonly missing: boolean;
}

export interface GraphEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly role: EdgeRole;
  readonly label: string;
  /** The node whose doing it is, where that is neither end. */
  readonly via: string;
  /** Keys of the topic `flow` that count what goes along it. */
  readonly flows: readonly string[];
  /** Its flows count others, too, who send to the same place without being told apart. */
  readonly shared: boolean;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export const graph = signal<Graph>({ nodes: [], edges: [] });

/** Whether the server has told anything yet: an empty graph is another thing than none. */
export const graphKnown = signal(false);

export const followGraph = following("graph", (data) => {
  graph.value = data as Graph;
  graphKnown.value = true;
});
