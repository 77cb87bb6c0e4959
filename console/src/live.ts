/** The live feed: one connection for the whole page, while somebody wants a topic of it. */
import { signal } from "@preact/signals";

import { Backoff } from "./backoff";
import { LONG_PAUSE, paced, type Pace } from "./pace";

export type Topic = "graph" | "flow" | "instances" | "load" | "requests" | "events" | "logs" | "notices" | "objects";
type Handler = (data: unknown) => void;

/** `open` once the server has answered; `lost` while it is tried again. */
export const connection = signal<"idle" | "connecting" | "open" | "lost">("idle");
/** The same for people: that the connection is made anew for another page is not worth a word. */
export const shown = signal<typeof connection.value>("idle");
/** How many messages of each topic this page was too slow for. */
export const skipped = signal<Readonly<Record<string, number>>>({});
/** When the next attempt is made, in milliseconds of `Date.now()`; 0 while connected. */
export const retryAt = signal(0);
/** Why the server refuses the feed, in its words; empty if it does not, or does not answer. */
export const refused = signal("");

/** Milliseconds after which a page that nobody sees lets go: a browser keeps six connections to one
 * server, and those of forgotten tabs are missed in the one that is looked at. */
const FORGOTTEN = 30_000;
/** Milliseconds for which topics are kept that nobody wants any more. */
const LEAVING = 1000;

/** Topics that begin with what happens next, so that who comes later has missed no snapshot. */
const STATELESS: ReadonlySet<Topic> = new Set<Topic>(["flow", "events", "objects"]);

const handlers = new Map<Topic, Set<Handler>>();
const backoff = new Backoff();
let source: EventSource | null = null;
let wanted = "";
let timer = 0;
let hiding = 0;
let dropping = 0;
let asleep = false;
/** Somebody waits for a snapshot, which only a new connection brings. */
let fresh = false;

/** Get every message of a topic, its snapshot first, until the answer is called. Whoever follows the
 * topic already gets that snapshot as well, as after every gap. */
export function subscribe(topic: Topic, handler: Handler): () => void {
  const found = handlers.get(topic) ?? new Set<Handler>();
  handlers.set(topic, found.add(handler));
  fresh ||= !STATELESS.has(topic);
  settle();
  return () => {
    found.delete(handler);
    if (found.size === 0) handlers.delete(topic);
    settle();
  };
}

/** Try again now instead of after the pause. */
export function reconnect(): void {
  backoff.reset();
  wanted = "";
  settle();
}

export function forgetSkipped(): void {
  missed = {};
  skipped.value = missed;
}

/** What `skipped` is to say next: in a flood every message leaves something out. */
let missed: Readonly<Record<string, number>> = {};
let telling: Pace | null = null;

function miss(topic: string, count: number): void {
  missed = { ...missed, [topic]: (missed[topic] ?? 0) + count };
  telling ??= paced(() => (skipped.value = missed), () => LONG_PAUSE);
  telling.wanted();
}

/** Once all who subscribe in one turn have done so, the connection is made what they want. A page
 * that changes ends and begins subscriptions in one turn, mostly of the same topics. */
let settling = false;
let watching = false;
function settle(): void {
  if (!watching) {
    watching = true;
    document.addEventListener("visibilitychange", seenOrNot);
  }
  if (settling) return;
  settling = true;
  queueMicrotask(() => {
    settling = false;
    clearTimeout(dropping);
    const topics = [...handlers.keys()].sort();
    if (topics.join(",") === wanted && !fresh) return;
    const had = new Set(wanted.split(","));
    // The page that comes next wants others, and is being loaded.
    if (!fresh && topics.every((topic) => had.has(topic))) dropping = window.setTimeout(want, LEAVING);
    else want();
  });
}

function want(): void {
  wanted = [...handlers.keys()].sort().join(",");
  fresh = false;
  connect();
}

function connect(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
  retryAt.value = 0;
  if (wanted === "" || asleep) {
    become("idle");
    return;
  }
  if (connection.value !== "lost") become("connecting");
  const url = `/knlite/live?topics=${encodeURIComponent(wanted)}`;
  const opened = new EventSource(url);
  source = opened;
  let answered = false;
  opened.onopen = () => {
    answered = true;
    backoff.reset();
    retryAt.value = 0;
    refused.value = "";
    become("open");
  };
  // The browser's own way of trying again gives up on some answers and never pauses longer.
  opened.onerror = () => {
    if (source !== opened) return;
    opened.close();
    if (!answered) void askWhy(url);
    const pause = backoff.next();
    become("lost");
    retryAt.value = Date.now() + pause;
    timer = window.setTimeout(connect, pause);
  };
  for (const topic of handlers.keys()) opened.addEventListener(topic, (event) => deliver(topic, event));
  opened.addEventListener("skipped", (event) => {
    const said = JSON.parse(event.data) as { topic: string; count: number };
    miss(said.topic, said.count);
  });
}

function become(state: typeof connection.value): void {
  connection.value = state;
  if (state !== "connecting" || shown.value === "idle") shown.value = state;
}

/** An `EventSource` does not tell what the server said. */
async function askWhy(url: string): Promise<void> {
  const asking = new AbortController();
  try {
    const answer = await fetch(url, { signal: asking.signal });
    refused.value = answer.ok ? "" : String(((await answer.json()) as { message?: unknown }).message ?? "");
  } catch {
    refused.value = "";
  } finally {
    // An answer that is the feed has no end.
    asking.abort();
  }
}

/** What happened while nobody saw it is in the snapshots that come first. */
function seenOrNot(): void {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = window.setTimeout(() => {
      asleep = true;
      connect();
    }, FORGOTTEN);
  } else if (asleep) {
    asleep = false;
    connect();
  }
}

function deliver(topic: Topic, event: MessageEvent<string>): void {
  const data: unknown = JSON.parse(event.data);
  for (const handler of handlers.get(topic) ?? []) {
    try {
      handler(data);
    } catch (error) {
      // What is wrong with one part of the page does not stop the others.
      reportError(error);
    }
  }
}
