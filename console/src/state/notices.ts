/** What happened, in sentences, as the feed's topic `notices` tells it. */
import { signal } from "@preact/signals";

import { following } from "./follow";

const KEPT = 200;

export interface Notice {
  readonly at: string;
  /** `info`, `warning`, `error`. */
  readonly level: string;
  /** The fact: `ScaleDecided`, `ColdStart`, … */
  readonly kind: string;
  /** `Kind/namespace/name`. */
  readonly object?: string;
  readonly text: string;
}

/** The newest first; bounded. */
export const notices = signal<readonly Notice[]>([]);

const same = (one: Notice, other: Notice): boolean => one.at === other.at && one.text === other.text && one.object === other.object;

/** With what a message tells, oldest first there. A snapshot repeats what is known. */
export function noticed(known: readonly Notice[], items: readonly Notice[]): readonly Notice[] {
  const fresh = items.filter((item) => !known.some((each) => same(each, item)));
  return fresh.length === 0 ? known : [...fresh.reverse(), ...known].slice(0, KEPT);
}

export const followNotices = following("notices", (data) => {
  notices.value = noticed(notices.value, (data as { items: readonly Notice[] }).items);
});
