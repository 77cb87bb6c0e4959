/** The graph of the system, as the feed's topic `graph` and `/knlite/graph` tell it. */
import { signal } from "@preact/signals";

export interface GraphNode {
  readonly id: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
  readonly ready: "True" | "False" | "Unknown" | "";
  readonly reason: string;
  readonly message: string;
  readonly url: string;
}

export interface GraphEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly role: string;
  readonly label: string;
  readonly flows: readonly string[];
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export const graph = signal<Graph>({ nodes: [], edges: [] });
