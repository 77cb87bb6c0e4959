/** A state that follows a topic of the feed for as long as anybody wants it. */
import { useEffect } from "preact/hooks";

import { subscribe, type Topic } from "../live";

/** Begins to follow; call the answer to let go. */
export type Follow = () => () => void;

/** However many follow at once, each message is applied once. What a topic told last stays when all
 * have let go, and is replaced by the snapshot when somebody comes back. */
export function following(topic: Topic, apply: (data: unknown) => void): Follow {
  let count = 0;
  let stop: (() => void) | null = null;
  return () => {
    count += 1;
    stop ??= subscribe(topic, apply);
    let followed = true;
    return () => {
      if (!followed) return;
      followed = false;
      count -= 1;
      if (count === 0) {
        stop?.();
        stop = null;
      }
    };
  };
}

/** Follow these while the component is there. */
export function useFollowing(...follows: readonly Follow[]): void {
  useEffect(() => {
    const stops = follows.map((follow) => follow());
    return () => stops.forEach((stop) => stop());
    // What a component follows does not change while it is there.
  }, []);
}
