/** A list of events, the newest first, and what comes meanwhile. Pure. */
import { takes, type Params } from "./search";
import type { Stub, Summary } from "./types";

/** Rows that are kept; older ones are asked for again. */
export const MOST = 2000;

/** Events by arrival, each as it was told last, the newest first. */
export function merged(rows: readonly Summary[], others: readonly Summary[]): Summary[] {
  const found = new Map(rows.map((row) => [row.arrival, row]));
  for (const each of others) found.set(each.arrival, each);
  return [...found.values()].sort((a, b) => b.arrival - a.arrival).slice(0, MOST);
}

export interface Told {
  readonly rows: readonly Summary[];
  /** What the server is to be asked about: it was told without saying how it stands, or only the
   * server knows whether it is one of those that are shown. */
  readonly ask: readonly number[];
}

/** What the feed tells, worked into the list. */
export function told(rows: readonly Summary[], items: readonly (Summary | Stub)[], asked: Params): Told {
  const known = new Map(rows.map((row) => [row.arrival, row]));
  const ask = new Set<number>();
  const changed: Summary[] = [];
  const gone = new Set<number>();
  for (const item of items) {
    if (!("id" in item)) {
      if (known.has(item.arrival)) ask.add(item.arrival);
      continue;
    }
    const wanted = takes(asked, item);
    if (wanted === false) gone.add(item.arrival);
    else if (wanted || known.has(item.arrival)) changed.push(item);
    else ask.add(item.arrival);
  }
  const left = gone.size ? rows.filter((row) => !gone.has(row.arrival)) : rows;
  return { rows: changed.length || gone.size ? merged(left, changed) : rows, ask: [...ask] };
}
