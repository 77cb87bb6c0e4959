/** What the server tells of events; as `docs/events.md` has it. */

export type State = "unmatched" | "delivering" | "waiting" | "delivered" | "dead-lettered" | "failed" | "gone" | "cut off";

export const STATES: readonly State[] = ["delivered", "delivering", "waiting", "unmatched", "dead-lettered", "failed", "gone", "cut off"];

export interface Place {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** An event in a list. */
export interface Summary {
  readonly arrival: number;
  readonly at: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly to: Place;
  readonly sender: string;
  readonly state: State;
  readonly deliveries: Readonly<Partial<Record<State, number>>>;
  readonly replayOf: number;
  readonly size: number;
}

/** In the live feed, of an event that came before anybody looked: how it stands is to be asked. */
export interface Stub {
  readonly arrival: number;
}

export interface Attempt {
  readonly at: string;
  readonly leg: "subscriber" | "reply" | "dead letter sink";
  readonly target: string;
  readonly attempt: number;
  readonly status: number;
  readonly outcome: "delivered" | "retrying" | "dead-lettered" | "failed" | "waiting";
  readonly why: string;
  readonly seconds: number;
  readonly instance: string;
  readonly nextIn: number | null;
  readonly again: boolean;
  readonly answer: string;
  readonly entered: number;
}

/** A part of a filter that decided. */
export interface Part {
  readonly path: string;
  readonly value: boolean | null;
  readonly seen: Readonly<Record<string, string | null>>;
  readonly start: number;
  readonly end: number;
}

export type Filter = Readonly<Record<string, unknown>>;

export interface Row extends Place {
  readonly uid: string;
  readonly matched: boolean;
  readonly why: string;
  readonly path: string;
  readonly parts: readonly Part[];
  readonly filter: Filter;
  readonly state: State;
  readonly attempts: readonly Attempt[];
  readonly leftOut: number;
}

/** In the JSON format of CloudEvents. */
export type CloudEvent = Readonly<Record<string, unknown>>;

export interface Story {
  readonly arrival: number;
  readonly at: string;
  readonly sender: string;
  readonly to: Place;
  readonly engine: string;
  readonly ttl: number;
  readonly state: State;
  readonly why: string;
  readonly event: CloudEvent;
  readonly headers: Readonly<Record<string, string>>;
  readonly replayOf: number;
  readonly replays: readonly number[];
  readonly rows: readonly Row[];
}

/** An event among those that came of another one. */
export interface Branch {
  readonly event: Summary;
  readonly via: Place | null;
  readonly leg: string;
  readonly children: readonly Branch[];
  readonly leftOut: number;
}

export interface DeadLetter {
  readonly arrival: number;
  readonly at: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly to: Place;
  readonly egress: Place;
  readonly uid: string;
  readonly state: State;
  readonly status: number;
  readonly why: string;
  readonly attempts: number;
  readonly sink: string;
  readonly again: number;
  readonly againState: State | null;
}

/** What was done about one event, or would be. */
export interface Sent {
  readonly id: string;
  readonly arrival: number;
  readonly replayOf: number;
  readonly to: Place | null;
  readonly egress: Place | null;
  readonly url: string;
  readonly status: number;
  readonly why: string;
}

export const named = (place: Place): string => `${place.namespace}/${place.name}`;
export const goesOn = (state: State): boolean => state === "delivering" || state === "waiting";

/** Where something is, as short as it is still known: `morgue.shop` for its address in the cluster. */
export function shortened(url: string): string {
  return url.replace(/^http:\/\//, "").replace(/\.svc\.cluster\.local\/?$/, "");
}
