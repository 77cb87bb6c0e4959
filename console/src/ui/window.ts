/** Which rows of a long list are drawn. Pure. */

interface Window {
  readonly first: number;
  /** The one after the last. */
  readonly end: number;
}

/** How many rows are drawn beyond what is seen, above and below. */
const BEYOND = 12;
/** Lists shorter than this are drawn whole. */
export const LONG = 120;

/** The rows to draw of `total`, each `height` high, scrolled by `top` in a box `seen` high. */
export function windowOf(total: number, height: number, top: number, seen: number): Window {
  if (total <= LONG) return { first: 0, end: total };
  const first = Math.max(0, Math.min(total, Math.floor(top / height)) - BEYOND);
  const end = Math.min(total, Math.ceil((top + Math.max(seen, height)) / height) + BEYOND);
  return { first: Math.min(first, end), end };
}

/** How far to scroll so that what was at `top` stays there though the list has changed: by how far
 * the row that was first in sight has moved. At the very top one follows what is new. */
export function anchored(before: readonly string[], after: readonly string[], height: number, top: number): number {
  if (top <= 0) return top;
  const index = Math.floor(top / height);
  for (let at = index; at < before.length; at += 1) {
    const moved = after.indexOf(before[at] ?? "");
    if (moved >= 0) return top + (moved - at) * height;
  }
  return top;
}

/** The scroll position that shows a row, or null if it is seen already. */
export function towards(row: number, height: number, top: number, seen: number): number | null {
  if (row * height < top) return row * height;
  if ((row + 1) * height > top + seen) return (row + 1) * height - seen;
  return null;
}

/** Which element draws which row: a row that stays keeps its own, and one that comes takes that of one
 * that has gone, except for what is `kept`. So a list that flows by makes no new elements. */
export function slotted(before: ReadonlyMap<string, number>, keys: readonly string[], kept: string | null = null): ReadonlyMap<string, number> {
  const drawn = new Set(keys);
  const taken = new Set([...before].filter(([key]) => drawn.has(key) || key === kept).map(([, slot]) => slot));
  const slots = new Map<string, number>();
  let next = 0;
  for (const key of keys) {
    const own = before.get(key);
    if (own !== undefined) {
      slots.set(key, own);
      continue;
    }
    while (taken.has(next)) next += 1;
    slots.set(key, next);
    next += 1;
  }
  return slots;
}
