/** The instances of every revision, as the feed's topic `instances` tells them. */
import { signal } from "@preact/signals";

export interface Instance {
  readonly instance: string;
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  readonly state: string;
  readonly why: string;
  readonly reason: string;
  readonly at: string;
  readonly how: string;
}

export const instances = signal<readonly Instance[]>([]);
