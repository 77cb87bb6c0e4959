/** What each revision has to do, second by second, as the feed's topic `load` tells it. */
import { signal } from "@preact/signals";

import { following } from "./follow";

/** Samples that are kept of each revision: two minutes in which something happens. */
export const KEPT = 120;

export interface Load {
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  /** Answered since the last message about this revision; mostly a second of it. */
  readonly requests: number;
  /** How many of them with a 5xx. */
  readonly failed: number;
  readonly queued: number;
  readonly active: number;
  /** On average over the last second. */
  readonly concurrency: number;
  /** `concurrency` or `rps`; empty if it is not scaled by its requests. The next three are of it. */
  readonly metric: string;
  readonly target: number;
  readonly stable: number;
  readonly panicWindow: number;
  readonly panic: boolean;
  readonly desired: number;
  readonly ready: number;
  readonly notReady: number;
  readonly pending: number;
  readonly frozen: number;
  readonly gone: boolean;
}

export interface Sample extends Load {
  readonly at: string;
}

interface Message {
  readonly at: string;
  readonly revisions: readonly Load[];
  /** There are no others. */
  readonly whole?: boolean;
}

type Samples = ReadonlyMap<string, readonly Sample[]>;

/** Of each `namespace/revision` the last `KEPT` samples, oldest first. A revision of which nothing
 * new is told stays as it was: the last sample is what is true now. */
export const load = signal<Samples>(new Map());

const loadKey = (of: { readonly namespace: string; readonly revision: string }): string => `${of.namespace}/${of.revision}`;

/** What is known after a message; a revision of which it says nothing keeps the very list it had. */
export function sampled(known: Samples, message: Message): Samples {
  const all = new Map(message.whole ? [] : known);
  for (const revision of message.revisions) {
    const key = loadKey(revision);
    if (revision.gone) all.delete(key);
    else all.set(key, [...(known.get(key) ?? []).slice(1 - KEPT), { ...revision, at: message.at }]);
  }
  return all;
}

/** What is true of a revision now. */
export function latest(known: Samples, namespace: string, revision: string): Sample | undefined {
  return known.get(loadKey({ namespace, revision }))?.at(-1);
}

export const followLoad = following("load", (data) => (load.value = sampled(load.value, data as Message)));
