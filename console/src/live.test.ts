import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

/** Stands where the browser's own is, and does what a test says. */
class Source extends EventTarget {
  static opened: Source[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    Source.opened.push(this);
  }

  close(): void {
    this.closed = true;
  }

  tell(topic: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(topic, { data: JSON.stringify(data) }));
  }
}

const last = (): Source => Source.opened.at(-1)!;
const turn = (): Promise<void> => Promise.resolve();
const visible = (): EventTarget & { hidden: boolean } => Object.assign(new EventTarget(), { hidden: false });
let page = visible();
let live: typeof import("./live");

function show(seen: boolean): void {
  page.hidden = !seen;
  page.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  Source.opened = [];
  page = visible();
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("fetch", () => Promise.reject(new Error("nobody is there")));
  live = await import("./live");
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the live feed", () => {
  test("is one connection for all who subscribe in one turn", async () => {
    const heard: unknown[] = [];
    live.subscribe("load", (data) => heard.push(data));
    live.subscribe("flow", () => undefined);
    await turn();
    expect(Source.opened).toHaveLength(1);
    expect(last().url).toBe("/knlite/live?topics=flow%2Cload");
    last().onopen?.();
    last().tell("load", { n: 1 });
    expect([live.connection.value, heard]).toEqual(["open", [{ n: 1 }]]);
  });

  test("begins anew for who comes later, so that it gets a snapshot too", async () => {
    live.subscribe("graph", () => undefined);
    await turn();
    live.subscribe("graph", () => undefined);
    await turn();
    expect(Source.opened.map((each) => each.closed)).toEqual([true, false]);
  });

  test("goes on for who comes later to a topic that has no snapshot", async () => {
    live.subscribe("events", () => undefined);
    await turn();
    const heard: unknown[] = [];
    live.subscribe("events", (data) => heard.push(data));
    await turn();
    last().tell("events", 1);
    expect([Source.opened.length, heard]).toEqual([1, [1]]);
  });

  test("is shown as it was while it is made anew for another page", async () => {
    const stop = live.subscribe("graph", () => undefined);
    expect(live.shown.value).toBe("idle");
    await turn();
    expect(live.shown.value).toBe("connecting");
    last().onopen?.();
    expect(live.shown.value).toBe("open");
    live.subscribe("load", () => undefined);
    stop();
    await turn();
    expect([live.connection.value, live.shown.value]).toEqual(["connecting", "open"]);
    last().onerror?.();
    expect(live.shown.value).toBe("lost");
  });

  test("ends when nobody wants it any more", async () => {
    const stop = live.subscribe("graph", () => undefined);
    await turn();
    stop();
    await vi.advanceTimersByTimeAsync(1500);
    expect([last().closed, live.connection.value]).toEqual([true, "idle"]);
  });

  test("is made anew once for a page that comes after another", async () => {
    live.subscribe("notices", () => undefined);
    const stop = live.subscribe("graph", () => undefined);
    await turn();
    stop();
    await vi.advanceTimersByTimeAsync(200);
    live.subscribe("load", () => undefined);
    await vi.advanceTimersByTimeAsync(5000);
    expect(Source.opened.map((each) => each.url.split("=")[1])).toEqual(["graph%2Cnotices", "load%2Cnotices"]);
  });

  test("is tried again less and less often when it is lost, and at once when a person says so", async () => {
    live.subscribe("graph", () => undefined);
    await turn();
    last().onopen?.();
    last().onerror?.();
    expect(live.connection.value).toBe("lost");
    const first = live.retryAt.value - Date.now();
    await vi.advanceTimersByTimeAsync(first);
    expect(Source.opened).toHaveLength(2);
    last().onerror?.();
    expect(live.retryAt.value - Date.now()).toBeGreaterThan(first);
    live.reconnect();
    await turn();
    expect(Source.opened).toHaveLength(3);
    last().onopen?.();
    expect([live.connection.value, live.retryAt.value]).toEqual(["open", 0]);
  });

  test("is lost with the server's reason where it has one", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response('{"message":"32 consoles look"}', { status: 429 })));
    live.subscribe("graph", () => undefined);
    await turn();
    last().onerror?.();
    await vi.advanceTimersByTimeAsync(1);
    expect(live.refused.value).toBe("32 consoles look");
    last().onopen?.();
    expect(live.refused.value).toBe("");
  });

  test("is let go by a page that nobody sees for a while, and there when it is seen again", async () => {
    live.subscribe("graph", () => undefined);
    await turn();
    last().onopen?.();
    show(false);
    await vi.advanceTimersByTimeAsync(20_000);
    show(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(last().closed).toBe(false);
    show(false);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(last().closed).toBe(true);
    show(true);
    expect([Source.opened.length, last().closed]).toEqual([2, false]);
  });

  test("counts what the page was too slow for", async () => {
    live.subscribe("logs", () => undefined);
    await turn();
    last().tell("skipped", { topic: "logs", count: 3 });
    last().tell("skipped", { topic: "logs", count: 4 });
    await vi.advanceTimersByTimeAsync(2000);
    expect(live.skipped.value).toEqual({ logs: 7 });
  });

  test("goes on for the others when one of them fails", async () => {
    const reported: unknown[] = [];
    vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
    const heard: unknown[] = [];
    live.subscribe("flow", () => {
      throw new Error("a bug");
    });
    live.subscribe("flow", (data) => heard.push(data));
    await turn();
    last().tell("flow", 1);
    expect([heard, reported.length]).toEqual([[1], 1]);
  });
});
