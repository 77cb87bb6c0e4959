/** What ran along the edges of the graph since the last message of the feed's topic `flow`. */
import { signal } from "@preact/signals";

import { paced, type Pace } from "../pace";
import { following } from "./follow";

export interface Flow {
  /** In milliseconds of `Date.now()`. */
  readonly at: number;
  /** Of each key how many, and how many of them failed. */
  readonly counts: Readonly<Record<string, readonly [number, number]>>;
}

export const flow = signal<Flow>({ at: 0, counts: {} });

/** More than so many in one message are no longer followed one by one. */
const FEW = 20;

let come: Flow["counts"] = {};
let telling: Pace | null = null;

function tell(): void {
  flow.value = { at: Date.now(), counts: come };
  come = {};
}

/** What is counted in either. */
export function added(counts: Flow["counts"], more: Flow["counts"]): Flow["counts"] {
  const all: Record<string, readonly [number, number]> = { ...counts };
  for (const [key, [count, failed]] of Object.entries(more)) {
    const [had, broken] = all[key] ?? [0, 0];
    all[key] = [had + count, broken + failed];
  }
  return all;
}

/** Single ones are told as they come, step by step; of a flood each telling would cost a frame. Where
 * nobody looks there are no frames, and what is told late would look like a greater flood. */
export const followFlow = following("flow", (data) => {
  const { counts } = data as { counts: Flow["counts"] };
  come = added(come, counts);
  const many = Object.values(counts).reduce((sum, [count]) => sum + count, 0) > FEW;
  telling ??= paced(tell);
  if (many && !document.hidden) telling.wanted();
  else tell();
});
