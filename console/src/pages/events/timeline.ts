/** Attempts on a line of time. Pure. */
import type { Attempt, Row } from "./types";

export interface Bar {
  readonly attempt: Attempt;
  /** In milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Where it begins and how long it is, in parts of the whole line, 0 to 1. */
  readonly left: number;
  readonly width: number;
}

/** Every bar can be seen, however short. */
const LEAST = 0.012;

export function bars(attempts: readonly Attempt[], from: number): Bar[] {
  const ends = attempts.map((attempt) => Date.parse(attempt.at));
  const last = Math.max(from + 1, ...ends);
  const whole = last - from;
  return attempts.map((attempt, index) => {
    const end = ends[index] ?? from;
    const start = Math.max(from, end - attempt.seconds * 1000);
    const width = Math.min(1, Math.max(LEAST, (end - start) / whole));
    return { attempt, start, end, width, left: Math.min(1 - width, Math.max(0, (start - from) / whole)) };
  });
}

/** Seconds until the next attempt, or null if none is to come or it is due. */
export function nextIn(row: Row, now: number): number | null {
  const last = row.attempts.at(-1);
  if (!last || last.nextIn === null || row.state !== "delivering") return null;
  return Math.max(0, (Date.parse(last.at) + last.nextIn * 1000 - now) / 1000);
}

/** How an attempt went, as a word and a kind of state. */
export function toneOf(attempt: Attempt): "ready" | "starting" | "failed" | "gone" {
  switch (attempt.outcome) {
    case "delivered":
      return "ready";
    case "dead-lettered":
      return "gone";
    case "failed":
      return "failed";
    default:
      return "starting";
  }
}
