/** Where an arrow key leads from a card: along an edge, or to the neighbour on the same side. */
import type { GraphEdge } from "../../state/graph";
import type { Direction, Point } from "./layout";

export type Arrow = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

export function isArrow(key: string): key is Arrow {
  return key === "ArrowLeft" || key === "ArrowRight" || key === "ArrowUp" || key === "ArrowDown";
}

export function walk(from: string, key: Arrow, at: ReadonlyMap<string, Point>, edges: readonly GraphEdge[], direction: Direction): string | undefined {
  const here = at.get(from);
  if (!here) return undefined;
  const [downstream, upstream] = direction === "right" ? (["ArrowRight", "ArrowLeft"] as const) : (["ArrowDown", "ArrowUp"] as const);
  if (key === downstream || key === upstream) {
    const along = edges.filter((edge) => (key === downstream ? edge.source : edge.target) === from && edge.role !== "replies");
    const ends = along.map((edge) => (key === downstream ? edge.target : edge.source));
    const near = closest(here, ends, at);
    if (near !== undefined) return near;
  }
  const ahead = [...at.keys()].filter((id) => id !== from && lies(key, here, at.get(id) ?? here));
  return closest(here, ahead, at, key);
}

function lies(key: Arrow, here: Point, there: Point): boolean {
  switch (key) {
    case "ArrowLeft":
      return there.x < here.x;
    case "ArrowRight":
      return there.x > here.x;
    case "ArrowUp":
      return there.y < here.y;
    case "ArrowDown":
      return there.y > here.y;
  }
}

/** What lies straight ahead is nearer than what lies aside. */
function closest(here: Point, ids: readonly string[], at: ReadonlyMap<string, Point>, key?: Arrow): string | undefined {
  const aside = key === undefined ? 1 : 3;
  const sideways = key === "ArrowUp" || key === "ArrowDown";
  let best: [string, number] | undefined;
  for (const id of ids) {
    const there = at.get(id);
    if (!there) continue;
    const [dx, dy] = [Math.abs(there.x - here.x) * (sideways ? aside : 1), Math.abs(there.y - here.y) * (sideways ? 1 : aside)];
    if (!best || dx + dy < best[1]) best = [id, dx + dy];
  }
  return best?.[0];
}
