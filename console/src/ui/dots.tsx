import type { Tone } from "./badge";
import "./badge.css";
import "./dots.css";

export interface DotOf {
  readonly key: string;
  readonly tone: Tone;
  readonly title?: string;
}

/** A dot for each of some things, as many as there is room for, and how many more there are. What
 * they say is to be said in words beside them. */
export function Dots({ dots, most }: { dots: readonly DotOf[]; most: number }) {
  return (
    <>
      {dots.slice(0, most).map((each) => <i key={each.key} class={`dot ${each.tone}`} title={each.title} />)}
      {dots.length > most && <span class="more">+{dots.length - most}</span>}
    </>
  );
}
