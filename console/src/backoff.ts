/** Pauses between attempts: longer each time, up to a bound. */

const FIRST = 500;
const LONGEST = 10_000;

export class Backoff {
  #pause = FIRST;

  /** Milliseconds until the next attempt. */
  next(): number {
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST, pause * 2);
    return pause;
  }

  reset(): void {
    this.#pause = FIRST;
  }
}
