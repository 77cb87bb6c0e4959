/** What ran along the edges of the graph since the last message of the feed's topic `flow`. */
import { signal } from "@preact/signals";

import { following } from "./follow";

export interface Flow {
  /** In milliseconds of `Date.now()`. */
  readonly at: number;
  /** Of each key how many, and how many of them failed. */
  readonly counts: Readonly<Record<string, readonly [number, number]>>;
}

export const flow = signal<Flow>({ at: 0, counts: {} });

export const followFlow = following("flow", (data) => {
  flow.value = { at: Date.now(), counts: (data as { counts: Flow["counts"] }).counts };
});
