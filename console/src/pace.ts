/** What comes often is drawn seldom: nobody reads a list that changes ten times a second. */

/** Milliseconds from one drawing to the next. */
export const PAUSE = 500;
/** The same in a flood, of which nobody could read more. */
export const LONG_PAUSE = 1000;

export interface Pace {
  /** Something is to be drawn: at once if nothing was lately, else with all else that comes until then. */
  readonly wanted: () => void;
  readonly end: () => void;
}

/** Until all draw again, so that they do so together: each time that anything changes costs a frame. */
function untilNext(pause: number): number {
  const left = pause - (Date.now() % pause);
  return left < pause / 2 ? left + pause : left;
}

/** Have `draw` called as often as something is wanted, but with pauses; not at all where nobody looks,
 * until somebody does. */
export function paced(draw: () => void, pause: () => number = () => PAUSE): Pace {
  let timer = 0;
  let waiting = false;
  const run = (): void => {
    timer = 0;
    if (!waiting || document.hidden) return;
    waiting = false;
    timer = window.setTimeout(run, untilNext(pause()));
    draw();
  };
  const wanted = (): void => {
    waiting = true;
    if (timer === 0) run();
  };
  const seen = (): void => {
    if (waiting && timer === 0) run();
  };
  document.addEventListener("visibilitychange", seen);
  return {
    wanted,
    end: () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    },
  };
}
