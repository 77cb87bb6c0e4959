/** What each revision has to do, second by second, as the feed's topic `load` tells it. */
import { signal } from "@preact/signals";

export const KEPT = 120;

export interface Load {
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  readonly requests: number;
  readonly failed: number;
  readonly queued: number;
  readonly active: number;
  readonly concurrency: number;
  readonly target: number;
  readonly metric: string;
  readonly stable: number;
  readonly panic: number;
  readonly panicWindow: boolean;
  readonly desired: number;
  readonly ready: number;
  readonly notReady: number;
  readonly pending: number;
  readonly frozen: number;
}

export interface Sample extends Load {
  readonly at: string;
}

/** Of each `namespace/revision` the last `KEPT` samples, oldest first. */
export const load = signal<ReadonlyMap<string, readonly Sample[]>>(new Map());
