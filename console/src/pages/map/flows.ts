/** What has gone along each edge since the map was opened, and how fast it goes now. */

import { short, trimmed } from "../../format";
import { language } from "../../i18n";

export type Counts = Readonly<Record<string, readonly [number, number]>>;

/** Seconds over which a rate is taken. */
const WINDOW = 10;
/** Seconds over which it is judged whether this is a flood. */
const LATELY = 2;
/** More than so many a second on one way are no longer seen one by one, nor so many in all. */
const MANY = 8;
const MANY_IN_ALL = 40;
/** What is lit in a flood: more than a trickle. */
const SOME = 1;

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
  /** All there were lately: when, and how many. */
  #all: [number, number][] = [];
  readonly #under = new Map<string, readonly string[]>();
  /** How many keys there were when those were found. */
  #known = 0;

  /** Add what a message of the topic `flow` says; `now` in seconds. Who comes back to the map finds
   * the last message still there, which is counted once. */
  take(counts: Counts, now: number): void {
    if (counts === this.#taken) return;
    this.#taken = counts;
    let all = 0;
    for (const [key, [count, failed]] of Object.entries(counts)) {
      const flow = this.#flows.get(key) ?? { count: 0, failed: 0, recent: [] };
      this.#flows.set(key, flow);
      flow.count += count;
      flow.failed += failed;
      flow.recent.push([now, count]);
      forget(flow, now);
      all += count;
    }
    this.#all = [...this.#all.filter(([at]) => at > now - LATELY), [now, all]];
  }

  /** Whether so many come that showing each would show nothing: on a way itself, or everywhere. */
  flooded(keys: readonly string[], now: number): boolean {
    const rate = keys.reduce((sum, key) => sum + lately(this.#flows.get(key)?.recent, now), 0);
    return rate > (this.inAll(now) ? SOME : MANY);
  }

  /** Whether more come in all than anybody can follow. */
  inAll(now: number): boolean {
    return lately(this.#all, now) > MANY_IN_ALL;
  }

  /** The keys that begin with a text; every card asks for its own at each message. */
  under(prefix: string): readonly string[] {
    if (this.#known !== this.#flows.size) this.#under.clear();
    this.#known = this.#flows.size;
    const found = this.#under.get(prefix) ?? [...this.#flows.keys()].filter((key) => key.startsWith(prefix));
    this.#under.set(prefix, found);
    return found;
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

/** How many a second. */
function lately(recent: readonly [number, number][] = [], now: number): number {
  return recent.reduce((sum, [at, count]) => (at > now - LATELY ? sum + count : sum), 0) / LATELY;
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

/** `0.3`, `12`, `11.9K`: a rate with as many digits as say something. */
export const rateText = (rate: number): string => (rate >= 1000 ? short(rate, language.value) : trimmed(rate, rate >= 10 ? 0 : 1));
