/** Where everything stands: layers from sources to sinks, dead letters below, a frame for each
 * namespace. What was there before keeps its place among the others, so that nothing jumps. */
import { Graph as Layered, layout as layer } from "@dagrejs/dagre";

import type { GraphEdge, GraphNode } from "../../state/graph";
import { wayBetween, type Way } from "./ways";

export type Direction = "right" | "down";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Group extends Point, Size {
  readonly title: string;
}

/** Points are upper left corners. */
export interface Placed extends Size {
  readonly at: ReadonlyMap<string, Point>;
  readonly ways: ReadonlyMap<string, Way>;
  readonly groups: readonly Group[];
  /** What hangs together, by what it consists of: it is not laid out again while that is the same. */
  readonly parts: ReadonlyMap<string, Part>;
}

export interface Options {
  readonly direction: Direction;
  readonly card: Size;
  /** Width over height that the whole is to have, roughly. */
  readonly aspect: number;
}

/** Between cards side by side: wide enough for a verdict below each. */
const BETWEEN = 38;
/** Between layers: wide enough for a count where they stand side by side. */
const LAYERS: Readonly<Record<Direction, number>> = { right: 84, down: 54 };
const INSIDE = 22;
const TITLE = 30;
const GROUPS = 28;
const NOTHING: Placed = { at: new Map(), ways: new Map(), groups: [], parts: new Map(), width: 0, height: 0 };

interface Part extends Size {
  readonly nodes: readonly GraphNode[];
  readonly at: ReadonlyMap<string, Point>;
}

export function place(nodes: readonly GraphNode[], edges: readonly GraphEdge[], options: Options, before: Placed = NOTHING): Placed {
  const parts = new Map<string, Part>();
  const { card } = options;
  for (const [inside, within] of connected(nodes, edges)) {
    const key = [options.direction, card.width, ...inside.map((node) => node.id), ...within.map((edge) => edge.id)].join("\n");
    const known = before.parts.get(key);
    // The nodes are the ones of now: whether they are ready may have changed.
    parts.set(key, known ? { ...known, nodes: inside } : layered(inside, within, options, before));
  }
  const groups = grouped([...parts.values()]).map(([title, inside]) => framed(title, inside, options));
  return { ...packed(groups, edges, options), parts };
}

/** Answers, and what a broker gets back, run against the stream: they say nothing about layers. */
function orders(edge: GraphEdge, role: ReadonlyMap<string, string>): boolean {
  const target = role.get(edge.target);
  return edge.source !== edge.target && !(edge.role === "replies" && (target === "broker" || target === "channel"));
}

/** Nodes that hang together, in the order in which they come, with the edges that hold them. */
export function connected(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): [GraphNode[], GraphEdge[]][] {
  const parent = new Map(nodes.map((node) => [node.id, node.id]));
  const root = (id: string): string => {
    let at = id;
    for (let next = parent.get(at); next !== undefined && next !== at; next = parent.get(at)) {
      parent.set(at, parent.get(next) ?? next);
      at = next;
    }
    return at;
  };
  for (const edge of edges) if (parent.has(edge.source) && parent.has(edge.target)) parent.set(root(edge.source), root(edge.target));
  const parts = new Map<string, [GraphNode[], GraphEdge[]]>();
  for (const node of nodes) {
    const found = parts.get(root(node.id));
    if (found) found[0].push(node);
    else parts.set(root(node.id), [[node], []]);
  }
  for (const edge of edges) parts.get(root(edge.source))?.[1].push(edge);
  return [...parts.values()];
}

/** One part in its layers, its upper left corner at 0, 0. */
function layered(nodes: readonly GraphNode[], edges: readonly GraphEdge[], options: Options, before: Placed): Part {
  const { card, direction } = options;
  const across = direction === "right" ? "y" : "x";
  const role = new Map(nodes.map((node) => [node.id, node.role as string]));
  const mine = edges.filter((edge) => orders(edge, role));
  const below = graves(nodes, mine);
  const graph = new Layered({ multigraph: true });
  graph.setGraph({ rankdir: direction === "right" ? "LR" : "TB", nodesep: BETWEEN, ranksep: LAYERS[direction], edgesep: 14, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  const rank = (id: string): number => before.at.get(id)?.[across] ?? Number.POSITIVE_INFINITY;
  const inOrder = <T>(items: readonly T[], id: (item: T) => string): T[] => [...items].sort((a, b) => compare(rank(id(a)), rank(id(b))));
  for (const node of inOrder(nodes, (each) => each.id)) if (!below.has(node.id)) graph.setNode(node.id, { width: card.width, height: card.height });
  for (const edge of inOrder(mine, (each) => each.target)) {
    if (below.has(edge.source) || below.has(edge.target)) continue;
    graph.setEdge(edge.source, edge.target, { weight: edge.role === "dead-letters" ? 0 : 2, minlen: 1 }, edge.id);
  }
  layer(graph, { constraints: kept(graph.nodes(), options, before) });
  const at = new Map<string, Point>();
  for (const id of graph.nodes()) {
    const found = graph.node(id) as { x: number; y: number };
    at.set(id, { x: found.x - card.width / 2, y: found.y - card.height / 2 });
  }
  buried(below, mine, at, options);
  return { nodes, at, ...normalized(at, card) };
}

/** That what stood one below the other in a layer goes on to do so. */
function kept(ids: readonly string[], { direction }: Options, before: Placed): { left: string; right: string }[] {
  const [along, across] = direction === "right" ? (["x", "y"] as const) : (["y", "x"] as const);
  const layers = new Map<number, { id: string; side: number }[]>();
  for (const id of ids) {
    const point = before.at.get(id);
    if (!point) continue;
    const found = layers.get(point[along]);
    if (found) found.push({ id, side: point[across] });
    else layers.set(point[along], [{ id, side: point[across] }]);
  }
  return [...layers.values()].flatMap((layer) => {
    const sorted = layer.sort((a, b) => a.side - b.side);
    return sorted.slice(1).map((each, index) => ({ left: sorted[index]?.id ?? "", right: each.id }));
  });
}

/** Nodes that only dead letters lead to, and nothing leads out of. */
function graves(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Set<string> {
  const taken = new Map<string, boolean>();
  const sending = new Set(edges.map((edge) => edge.source));
  for (const edge of edges) taken.set(edge.target, (taken.get(edge.target) ?? true) && edge.role === "dead-letters");
  return new Set(nodes.map((node) => node.id).filter((id) => taken.get(id) === true && !sending.has(id)));
}

/** Put the graves below everything else, each one layer after the last that sends it something. */
function buried(below: ReadonlySet<string>, edges: readonly GraphEdge[], at: Map<string, Point>, { card, direction }: Options): void {
  const [along, across, length, breadth] = direction === "right" ? (["x", "y", card.width, card.height] as const) : (["y", "x", card.height, card.width] as const);
  const rows: Set<number>[] = [];
  const bottom = Math.max(0, ...[...at.values()].map((point) => point[across] + breadth)) + BETWEEN * 1.5;
  for (const id of below) {
    const from = edges.filter((edge) => edge.target === id).map((edge) => at.get(edge.source)?.[along] ?? 0);
    const start = Math.max(0, ...from) + length + LAYERS[direction];
    let row = rows.findIndex((taken) => !taken.has(start));
    if (row < 0) row = rows.push(new Set()) - 1;
    rows[row]?.add(start);
    const side = bottom + row * (breadth + BETWEEN);
    at.set(id, direction === "right" ? { x: start, y: side } : { x: side, y: start });
  }
}

function normalized(at: Map<string, Point>, card: Size): Size {
  const points = [...at.values()];
  const left = Math.min(...points.map((point) => point.x));
  const top = Math.min(...points.map((point) => point.y));
  for (const [id, point] of at) at.set(id, { x: Math.round(point.x - left), y: Math.round(point.y - top) });
  return {
    width: Math.max(...points.map((point) => point.x)) - left + card.width,
    height: Math.max(...points.map((point) => point.y)) - top + card.height,
  };
}

/** Parts by the namespaces that they lie in. */
function grouped(parts: readonly Part[]): [string, Part[]][] {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    // A namespace that is one card has its name on it.
    const spaces = part.nodes.map((node) => (node.kind === "Namespace" ? "" : node.namespace));
    const title = [...new Set(spaces)].filter((each) => each !== "").sort().join(" + ");
    const found = groups.get(title);
    if (found) found.push(part);
    else groups.set(title, [part]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface Framed extends Size {
  readonly title: string;
  readonly at: ReadonlyMap<string, Point>;
}

/** The parts of one namespace: what hangs together below each other, single cards in rows. */
function framed(title: string, parts: readonly Part[], { card, direction }: Options): Framed {
  const at = new Map<string, Point>();
  const large = parts.filter((part) => part.nodes.length > 1).sort((a, b) => b.nodes.length - a.nodes.length);
  const single = parts.filter((part) => part.nodes.length === 1);
  let width = 0;
  let y = TITLE;
  for (const part of large) {
    for (const [id, point] of part.at) at.set(id, { x: point.x + INSIDE, y: point.y + y });
    width = Math.max(width, part.width);
    y += part.height + BETWEEN * 1.5;
  }
  const columns = Math.max(1, Math.floor((width + BETWEEN) / (card.width + BETWEEN)), direction === "down" ? 1 : Math.ceil(Math.sqrt(single.length / 2)));
  single.forEach((part, index) => {
    const column = index % columns;
    const row = Math.floor(index / columns);
    const x = INSIDE + column * (card.width + BETWEEN);
    for (const id of part.at.keys()) at.set(id, { x, y: y + row * (card.height + BETWEEN) });
    width = Math.max(width, x - INSIDE + card.width);
  });
  const height = Math.max(...[...at.values()].map((point) => point.y)) + card.height + INSIDE;
  return { title, at, width: width + 2 * INSIDE, height };
}

/** All groups, in rows of about the width that fits the window. */
function packed(groups: readonly Framed[], edges: readonly GraphEdge[], options: Options): Omit<Placed, "parts"> {
  const area = groups.reduce((sum, group) => sum + (group.width + GROUPS) * (group.height + GROUPS), 0);
  const widest = Math.max(0, ...groups.map((group) => group.width));
  const limit = options.direction === "down" ? widest : Math.max(widest, Math.sqrt(area * options.aspect) * 1.08);
  const at = new Map<string, Point>();
  const frames: Group[] = [];
  let [x, y, tallest, right] = [0, 0, 0, 0];
  for (const group of groups) {
    if (x > 0 && x + group.width > limit) {
      x = 0;
      y += tallest + GROUPS;
      tallest = 0;
    }
    for (const [id, point] of group.at) at.set(id, { x: x + point.x, y: y + point.y });
    frames.push({ title: group.title, x, y, width: group.width, height: group.height });
    x += group.width + GROUPS;
    tallest = Math.max(tallest, group.height);
    right = Math.max(right, x - GROUPS);
  }
  const ways = new Map<string, Way>();
  for (const edge of edges) {
    const way = wayBetween(edge, at, options);
    if (way) ways.set(edge.id, way);
  }
  return { at, ways, groups: frames, width: right, height: y + tallest };
}

/** Infinities are equal. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
