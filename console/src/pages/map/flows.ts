/** What has gone along each edge since the map was opened, and how fast it goes now. */

import { short, trimmed } from "../../format";
import { language } from "../../i18n";

export type Counts = Readonly<Record<string, readonly [number, number]>>;

/** Seconds over which a rate is taken. */
const WINDOW = 10;

interface Flow {
  count: number;
  failed: number;
  /** Of the last `WINDOW` seconds: when, and how many. */
  recent: [number, number][];
}

export interface Sum {
  readonly count: number;
  readonly failed: number;
  /** Per second. */
  readonly rate: number;
}

export class Flows {
  readonly #flows = new Map<string, Flow>();
  #taken: Counts | null = null;

  /** Add what a message of the topic `flow` says; `now` in seconds. Who comes back to the map finds
   * the last message still there, which is counted once. */
  take(counts: Counts, now: number): void {
    if (counts === this.#taken) return;
    this.#taken = counts;
    for (const [key, [count, failed]] of Object.entries(counts)) {
      const flow = this.#flows.get(key) ?? { count: 0, failed: 0, recent: [] };
      this.#flows.set(key, flow);
      flow.count += count;
      flow.failed += failed;
      flow.recent.push([now, count]);
      forget(flow, now);
    }
  }

  /** The keys that begin with a text. */
  under(prefix: string): string[] {
    return [...this.#flows.keys()].filter((key) => key.startsWith(prefix));
  }

  /** All that the given keys count. */
  sum(keys: readonly string[], now: number): Sum {
    let [count, failed, recent] = [0, 0, 0];
    for (const key of keys) {
      const flow = this.#flows.get(key);
      if (!flow) continue;
      count += flow.count;
      failed += flow.failed;
      forget(flow, now);
      for (const [, each] of flow.recent) recent += each;
    }
    return { count, failed, rate: recent / WINDOW };
  }

  /** Whether any rate is still falling, so that it has to be looked at again. */
  moving(now: number): boolean {
    for (const { recent } of this.#flows.values()) if ((recent.at(-1)?.[0] ?? 0) > now - WINDOW) return true;
    return false;
  }
}

/** Many are counted that nothing shows: each lets go of what is too old for a rate itself. */
function forget(flow: Flow, now: number): void {
  const first = flow.recent.findIndex(([at]) => at > now - WINDOW);
  flow.recent.splice(0, first < 0 ? flow.recent.length : first);
}

/** Slower than this a rate says less than the count does. */
const SLOW = 1;

/** The count, and how fast it grows where that can be seen. */
export function counted(sum: Sum, perSecond: (rate: string) => string): string {
  if (sum.count === 0) return "";
  return sum.rate >= SLOW ? `${short(sum.count, language.value)} · ${perSecond(rateText(sum.rate))}` : short(sum.count, language.value);
}

/** `0.3`, `12`: a rate with as many digits as say something. */
export const rateText = (rate: number): string => trimmed(rate, rate >= 10 ? 0 : 1);
