import { expect, test } from "vitest";

import { fitted, framing, showing, zoomed, LARGEST } from "./camera";

const window = { width: 1000, height: 500 };

test("everything is seen, in the middle, and a small drawing is not blown up", () => {
  expect(fitted({ width: 2000, height: 500 }, window, 0)).toEqual({ x: 0, y: 125, k: 0.5 });
  expect(fitted({ width: 2000, height: 5000 }, window, 0, true)).toEqual({ x: 0, y: 0, k: 0.5 });
  expect(fitted({ width: 100, height: 100 }, window, 20).k).toBeCloseTo(1.15);
});

test("a part is brought into view where it can be read, and left alone where it is", () => {
  const part = { x: 2000, y: 0, width: 500, height: 100 };
  expect(framing({ x: 0, y: 0, k: 0.2 }, part, window, 20)).toEqual({ k: 1, x: -1750, y: 200 });
  expect(framing({ x: -1600, y: 0, k: 0.8 }, part, window, 20)).toEqual({ x: -1600, y: 0, k: 0.8 });
  expect(framing({ x: 0, y: 0, k: 1 }, { ...part, width: 5000 }, window, 20)).toEqual({ k: 0.6, x: -1180, y: 220 });
});

test("what is pointed at stays where it is while it grows", () => {
  const next = zoomed({ x: 10, y: 20, k: 1 }, 1.5, { x: 110, y: 120 });
  expect(next).toEqual({ x: -40, y: -30, k: 1.5 });
  expect(zoomed(next, 100, { x: 0, y: 0 }).k).toBe(LARGEST);
});

test("a card that is walked to comes into view, and no further", () => {
  const card = { width: 200, height: 60 };
  expect(showing({ x: 0, y: 0, k: 1 }, { x: 950, y: 100 }, card, window, 20)).toEqual({ x: -170, y: 0, k: 1 });
  expect(showing({ x: 0, y: 0, k: 1 }, { x: 100, y: -100 }, card, window, 20)).toEqual({ x: 0, y: 120, k: 1 });
  expect(showing({ x: 5, y: 5, k: 1 }, { x: 100, y: 100 }, card, window, 20)).toEqual({ x: 5, y: 5, k: 1 });
});
