import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { paced } from "./pace";

/** Stands where the browser's own is. */
const page = Object.assign(new EventTarget(), { hidden: false });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", globalThis);
  page.hidden = false;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the first is drawn at once, and what comes in a flood twice a second", () => {
  const draw = vi.fn();
  const pace = paced(draw);
  for (let ms = 0; ms < 2000; ms += 100) {
    pace.wanted();
    if (ms === 0) expect(draw).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100);
  }
  expect(draw.mock.calls.length).toBeLessThanOrEqual(5);
  expect(draw.mock.calls.length).toBeGreaterThanOrEqual(4);
  vi.advanceTimersByTime(1000);
  const drawn = draw.mock.calls.length;
  vi.advanceTimersByTime(10_000);
  expect(draw).toHaveBeenCalledTimes(drawn);
  pace.end();
});

test("nothing is drawn where nobody looks, and all of it when somebody does", () => {
  const draw = vi.fn();
  page.hidden = true;
  const pace = paced(draw);
  pace.wanted();
  vi.advanceTimersByTime(5000);
  expect(draw).not.toHaveBeenCalled();
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  expect(draw).toHaveBeenCalledTimes(1);
  pace.end();
});

test("nothing is drawn after the end", () => {
  const draw = vi.fn();
  const pace = paced(draw);
  pace.wanted();
  pace.wanted();
  pace.end();
  vi.advanceTimersByTime(5000);
  expect(draw).toHaveBeenCalledTimes(1);
});
