/** The line of an edge between two cards: from the side that looks downstream to the side that
 * looks upstream; what runs against the stream goes around below. */
import type { GraphEdge } from "../../state/graph";
import type { Options, Point } from "./layout";

export interface Way {
  /** For `d` of a path, and for what moves along it. */
  readonly d: string;
  readonly middle: Point;
}

type Four = readonly [Point, Point, Point, Point];

/** How far apart the ends of several edges at one side of a card are. */
const APART = 12;

export function wayBetween(edge: GraphEdge, at: ReadonlyMap<string, Point>, options: Options): Way | undefined {
  const [from, to] = [at.get(edge.source), at.get(edge.target)];
  if (!from || !to) return undefined;
  const turned = options.direction === "down";
  const card = turned ? { width: options.card.height, height: options.card.width } : options.card;
  const [a, b] = turned ? [turn(from), turn(to)] : [from, to];
  const obstacles = [...at.values()].map((point) => (turned ? turn(point) : point));
  const line = edge.source === edge.target ? loop(a, card) : b.x >= a.x + card.width ? forward(edge, a, b, card) : around(a, b, card, obstacles);
  return drawn(turned ? (line.map(turn) as unknown as Four) : line);
}

const turn = ({ x, y }: Point): Point => ({ x: y, y: x });

interface Card {
  readonly width: number;
  readonly height: number;
}

function forward(edge: GraphEdge, a: Point, b: Point, card: Card): Four {
  // Dead letters leave a little lower than what goes its way.
  const shift = edge.role === "dead-letters" ? APART : 0;
  const start = { x: a.x + card.width, y: a.y + card.height / 2 + shift };
  const end = { x: b.x, y: b.y + card.height / 2 };
  const bend = Math.max(28, (end.x - start.x) * 0.5);
  return [start, { x: start.x + bend, y: start.y }, { x: end.x - bend, y: end.y }, end];
}

/** Below whatever stands between the two. */
function around(a: Point, b: Point, card: Card, obstacles: readonly Point[]): Four {
  const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
  const bottom = Math.max(a.y, b.y) + card.height;
  const between = obstacles.filter((each) => each.x >= left && each.x <= right && each.y >= Math.min(a.y, b.y) && each.y <= bottom);
  const depth = Math.max(bottom, ...between.map((each) => each.y + card.height)) + 34;
  const start = { x: a.x + card.width / 2 + APART, y: a.y + card.height };
  const end = { x: b.x + card.width / 2 - APART, y: b.y + card.height };
  return [start, { x: start.x, y: depth + 14 }, { x: end.x, y: depth + 14 }, end];
}

function loop(a: Point, card: Card): Four {
  const x = a.x + card.width / 2;
  const y = a.y + card.height;
  return [{ x: x + 24, y }, { x: x + 46, y: y + 40 }, { x: x - 46, y: y + 40 }, { x: x - 24, y }];
}

function drawn([a, b, c, d]: Four): Way {
  const middle = { x: (a.x + 3 * b.x + 3 * c.x + d.x) / 8, y: (a.y + 3 * b.y + 3 * c.y + d.y) / 8 };
  return { d: `M${text(a)} C${text(b)} ${text(c)} ${text(d)}`, middle };
}

const text = ({ x, y }: Point): string => `${Math.round(x)},${Math.round(y)}`;
