/** Graphs for tests. */
import type { EdgeRole, GraphEdge, GraphNode, NodeRole } from "../../state/graph";

export const node = (kind: string, name: string, role: NodeRole, namespace = "shop"): GraphNode => ({
  id: `${kind}/${namespace}/${name}`, kind, apiVersion: "", plural: "", namespace, name, role,
  ready: "True", reason: "", message: "", url: "", detail: "", inbox: "", missing: false,
});

export const edge = (source: GraphNode, target: GraphNode, role: EdgeRole, flows: string[] = []): GraphEdge => ({
  id: `${role} ${source.id} ${target.id}`, source: source.id, target: target.id, role, label: "", via: "", flows, shared: false,
});
