/** The last two minutes of a service, second by second, of what the feed told now and then. Pure.
 *
 * Levels hold until they are told anew; requests are told for the time since the message before. */

export interface Told {
  readonly at: string;
  readonly requests: number;
  readonly failed: number;
  readonly concurrency: number;
  readonly ready: number;
  readonly desired: number;
  readonly frozen: number;
}

export interface Past {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly requests: readonly (number | null)[];
  readonly failed: readonly (number | null)[];
  readonly concurrency: readonly (number | null)[];
  readonly ready: readonly (number | null)[];
  readonly desired: readonly (number | null)[];
}

const SECONDS = 120;

/** Of the revisions of one service the sum, up to the second of `now` (since 1970), which should be
 * over: of one that is not, not all is told yet. Null is before the first word. */
export function past(revisions: readonly (readonly Told[])[], now: number, seconds = SECONDS): Past {
  const end = Math.floor(now);
  const times = Array.from({ length: seconds }, (_, index) => end - seconds + 1 + index);
  const each = revisions.filter((told) => told.length > 0).map((told) => one(told, times));
  const sum = (of: (lines: Lines) => readonly (number | null)[]): (number | null)[] =>
    times.map((_, index) => each.reduce<number | null>((total, lines) => added(total, of(lines)[index] ?? null), null));
  return {
    times,
    requests: sum((lines) => lines.requests),
    failed: sum((lines) => lines.failed),
    concurrency: sum((lines) => lines.concurrency),
    ready: sum((lines) => lines.ready),
    desired: sum((lines) => lines.desired),
  };
}

/** Requests a second over the last few seconds. */
export function rate(found: Past, seconds = 3): number {
  const last = found.requests.slice(-seconds);
  return last.reduce<number>((total, each) => total + (each ?? 0), 0) / Math.max(1, last.length);
}

export const known = (values: readonly (number | null)[]): number[] => values.filter((each) => each !== null);

type Lines = Omit<Past, "times">;

function one(told: readonly Told[], times: readonly number[]): Lines {
  const lines = { requests: [], failed: [], concurrency: [], ready: [], desired: [] } as { [name in keyof Lines]: (number | null)[] };
  const ordered = told.map((each) => ({ each, at: Date.parse(each.at) / 1000 }));
  let next = 0;
  let level: Told | null = null;
  const first = times[0] ?? 0;
  while (next < ordered.length && (ordered[next]?.at ?? 0) < first) level = ordered[next++]?.each ?? level;
  for (const time of times) {
    let requests = 0;
    let failed = 0;
    let busiest = 0;
    while (next < ordered.length && (ordered[next]?.at ?? 0) < time + 1) {
      level = ordered[next++]?.each ?? level;
      requests += level?.requests ?? 0;
      failed += level?.failed ?? 0;
      busiest = Math.max(busiest, level?.concurrency ?? 0);
    }
    lines.requests.push(level && requests);
    lines.failed.push(level && failed);
    lines.concurrency.push(level && Math.max(busiest, level.concurrency));
    lines.ready.push(level && level.ready);
    lines.desired.push(level && level.desired);
  }
  return lines;
}

const added = (one: number | null, other: number | null): number | null => (other === null ? one : (one ?? 0) + other);
