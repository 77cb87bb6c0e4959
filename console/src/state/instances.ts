/** The instances of every revision, as the feed's topic `instances` tells them. */
import { signal } from "@preact/signals";

import type { Tone } from "../ui/badge";
import { following } from "./follow";

export interface Instance {
  readonly instance: string;
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  /** As the server's facts name it: `preparing`, `starting`, `started`, `ready`, `unready`,
   * `restarting`, `failed`, `waiting`, `draining`, `frozen`, `thawed`, `stopped`, `completed`, `gone`. */
  readonly state: string;
  readonly why: string;
  readonly reason: string;
  /** Since when it is in that state. */
  readonly at: string;
  /** `forked`, `spawned`, `container`, `thawed`; empty where it is not known. */
  readonly how: string;
  readonly restarts: number;
}

interface Message {
  readonly instances: readonly Instance[];
  /** These are all that there are. */
  readonly whole?: boolean;
}

/** Milliseconds for which one that is gone is still shown. */
const LEAVING = 5000;

export const instances = signal<readonly Instance[]>([]);

/** What its state means to who looks. */
export function toneOf(state: string): Tone {
  switch (state) {
    case "ready":
    case "thawed":
      return "ready";
    case "frozen":
      return "frozen";
    case "failed":
    case "waiting":
    case "unready":
      return "failed";
    case "draining":
    case "stopped":
    case "completed":
    case "gone":
      return "gone";
    default:
      return "starting";
  }
}

const key = (instance: Instance): string => `${instance.namespace}/${instance.instance}`;

/** What there is after a message: in the order in which they came. */
export function joined(known: readonly Instance[], message: Message): readonly Instance[] {
  if (message.whole) return message.instances;
  const all = new Map(known.map((instance) => [key(instance), instance]));
  for (const instance of message.instances) all.set(key(instance), instance);
  return [...all.values()];
}

/** Without those of `gone` that nothing else has been heard of. */
export function without(known: readonly Instance[], gone: readonly Instance[]): readonly Instance[] {
  const left = new Set(gone);
  return known.filter((instance) => !left.has(instance));
}

export const followInstances = following("instances", (data) => {
  const message = data as Message;
  instances.value = joined(instances.value, message);
  const gone = message.instances.filter((instance) => instance.state === "gone");
  if (gone.length > 0) setTimeout(() => (instances.value = without(instances.value, gone)), LEAVING);
});
