/** The list of events as the page shows it: asked for, then kept up with the feed. */
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import { get } from "../../api";
import { connection, subscribe } from "../../live";
import { paced } from "../../pace";
import { merged, MOST, told } from "./merging";
import type { Params } from "./search";
import type { Stub, Summary } from "./types";

const PAGE = 200;
/** Milliseconds that questions to the server wait for one another. */
const TOGETHER = 400;
/** Of events that came before, that are asked about one by one. */
const ONE_BY_ONE = 20;

class EventList {
  readonly rows = signal<readonly Summary[]>([]);
  readonly loading = signal(true);
  readonly error = signal<unknown>(null);
  /** Whether there are older ones. */
  readonly more = signal(false);
  readonly paused = signal(false);
  readonly fresh = signal(0);

  private readonly asked: Params;
  private readonly aborting = new AbortController();
  /** While the list is paused: what it would be. */
  private hidden: readonly Summary[] = [];
  private toAsk = new Set<number>();
  private timer = 0;

  /** What stood in the list before stays until it is known what comes; so does the pause. */
  constructor(asked: Params, before: EventList | null) {
    this.asked = asked;
    if (!before) return;
    this.rows.value = before.rows.peek();
    if (before.paused.peek()) this.pause(true);
  }

  open(): () => void {
    void this.load();
    let come: (Summary | Stub)[] = [];
    const pace = paced(() => {
      const items = come;
      come = [];
      this.hear(items);
    });
    const stop = subscribe("events", (data) => {
      come = [...come, ...(data as { items: readonly (Summary | Stub)[] }).items].slice(-MOST);
      pace.wanted();
    });
    let lost = false;
    const watch = connection.subscribe((state) => {
      // What came while nobody listened is asked for.
      if (state === "open" && lost) void this.load();
      lost = state === "lost" || (lost && state !== "open");
    });
    return () => {
      stop();
      pace.end();
      watch();
      clearTimeout(this.timer);
      this.aborting.abort();
    };
  }

  async load(): Promise<void> {
    await this.attempt(async () => {
      const found = await this.fetch({});
      this.rows.value = merged([], found);
      this.hidden = this.rows.value;
      this.more.value = found.length === PAGE;
    });
  }

  async older(): Promise<void> {
    const last = this.rows.value.at(-1);
    if (!last) return;
    await this.attempt(async () => {
      const found = await this.fetch({ before: String(last.arrival) });
      this.rows.value = merged(this.rows.value, found);
      this.hidden = merged(this.hidden, found);
      this.more.value = found.length === PAGE;
    });
  }

  pause(on: boolean): void {
    if (on) this.hidden = this.rows.peek();
    else if (this.paused.peek()) this.rows.value = this.hidden;
    this.paused.value = on;
    this.fresh.value = 0;
  }

  private hear(items: readonly (Summary | Stub)[]): void {
    const { rows, ask } = told(this.current(), items, this.asked);
    this.put(rows);
    if (ask.length === 0) return;
    for (const arrival of ask) this.toAsk.add(arrival);
    this.timer ||= window.setTimeout(() => void this.askAll(), TOGETHER);
  }

  private current(): readonly Summary[] {
    return this.paused.peek() ? this.hidden : this.rows.peek();
  }

  private put(next: readonly Summary[]): void {
    if (!this.paused.peek()) {
      this.rows.value = next;
      return;
    }
    this.hidden = next;
    const newest = this.rows.peek()[0]?.arrival ?? 0;
    this.fresh.value = next.filter((event) => event.arrival > newest).length;
  }

  private async askAll(): Promise<void> {
    this.timer = 0;
    const known = new Set(this.current().map((row) => row.arrival));
    const wanted = [...this.toAsk];
    this.toAsk.clear();
    const unknown = wanted.filter((arrival) => !known.has(arrival));
    try {
      const found = unknown.length ? await this.fetch({ since: String(Math.max(Math.min(...unknown), Number(this.asked["since"] ?? 0))) }) : [];
      for (const arrival of wanted.filter((each) => known.has(each)).slice(-ONE_BY_ONE)) {
        found.push(...(await get<{ events: Summary[] }>(`/knlite/events?arrival=${arrival}`, this.aborting.signal)).events);
      }
      this.put(merged(this.current(), found));
    } catch {
      // The connection says so by itself, and what was missed comes with the next load.
    }
  }

  private async fetch(more: Params): Promise<Summary[]> {
    const search = new URLSearchParams({ ...this.asked, ...more, limit: String(PAGE) });
    return [...(await get<{ events: Summary[] }>(`/knlite/events?${search.toString()}`, this.aborting.signal)).events];
  }

  private async attempt(run: () => Promise<void>): Promise<void> {
    try {
      await run();
      this.error.value = null;
    } catch (error) {
      if (!this.aborting.signal.aborted) this.error.value = error;
    } finally {
      if (!this.aborting.signal.aborted) this.loading.value = false;
    }
  }
}

/** A list for what is asked, another one when something else is. */
export function useEvents(asked: Params): EventList {
  const key = JSON.stringify(asked);
  const before = useRef<EventList | null>(null);
  const list = useMemo(() => new EventList(asked, before.current), [key]);
  before.current = list;
  useEffect(() => list.open(), [list]);
  return list;
}
