/** Which part of the drawing is seen: moved by x and y, then k times as large. Pure. */
import type { Point, Size } from "./layout";

export interface Camera extends Point {
  readonly k: number;
}

const SMALLEST = 0.2;
export const LARGEST = 2;
/** A small drawing is not blown up. */
const FITTED = 1.15;
const READABLE = 0.6;

/** All that fits; on a narrow screen, where one looks from top to bottom, all that fits in width. */
export function fitted(whole: Size, window: Size, margin: number, narrow = false): Camera {
  if (whole.width === 0 || window.width === 0) return { x: 0, y: 0, k: 1 };
  const across = (window.width - 2 * margin) / whole.width;
  const down = (window.height - 2 * margin) / whole.height;
  const k = Math.max(SMALLEST, narrow ? Math.min(1, across) : Math.min(FITTED, across, down));
  // What does not fit begins at the upper left corner.
  const x = Math.max(margin, (window.width - whole.width * k) / 2);
  const y = Math.max(margin, (window.height - whole.height * k) / 2);
  return { x, y, k };
}

/** A part of the drawing as large as it can be read, unless all of it is seen well already. */
export function framing(camera: Camera, part: Point & Size, window: Size, margin: number): Camera {
  const left = camera.x + part.x * camera.k;
  const top = camera.y + part.y * camera.k;
  const seen = left >= 0 && top >= 0 && left + part.width * camera.k <= window.width && top + part.height * camera.k <= window.height;
  if (seen && camera.k >= READABLE) return camera;
  const fit = Math.min(1, (window.width - 2 * margin) / part.width, (window.height - 2 * margin) / part.height);
  const k = Math.max(READABLE, fit);
  // Of what is too large even so the beginning is seen: left, and in the middle, where a broker is.
  const [x, y] = [Math.max(margin, (window.width - part.width * k) / 2), (window.height - part.height * k) / 2];
  return { k, x: x - part.x * k, y: y - part.y * k };
}

/** *by* times as large, with what is at a point of the window staying there. */
export function zoomed({ x, y, k }: Camera, by: number, at: Point): Camera {
  const next = Math.max(SMALLEST, Math.min(LARGEST, k * by));
  return { x: at.x - ((at.x - x) * next) / k, y: at.y - ((at.y - y) * next) / k, k: next };
}

/** Moved as little as shows the whole of a card. */
export function showing(camera: Camera, corner: Point, card: Size, window: Size, margin: number): Camera {
  const { k } = camera;
  const moved = (offset: number, start: number, length: number, room: number): number => {
    const at = offset + start * k;
    if (at < margin) return offset + margin - at;
    const over = at + length * k - (room - margin);
    return over > 0 ? offset - Math.min(over, at - margin) : offset;
  };
  return { k, x: moved(camera.x, corner.x, card.width, window.width), y: moved(camera.y, corner.y, card.height, window.height) };
}
