/** The time, for what says how long ago something was. It ticks only while something shows it. */
import { signal } from "@preact/signals";

const SECOND = 1000;
let timer = 0;

function tick(): void {
  if (!document.hidden) now.value = Date.now();
}

export const now = signal(Date.now(), {
  watched() {
    // Nobody has counted meanwhile.
    queueMicrotask(tick);
    timer = window.setInterval(tick, SECOND);
  },
  unwatched() {
    clearInterval(timer);
  },
});
