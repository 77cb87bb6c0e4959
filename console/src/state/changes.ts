/** Which objects have changed, as the feed's topic `objects` tells it: who shows one reads it anew. */
import { subscribe } from "../live";

export interface ObjectChange {
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly deleted: boolean;
}

/** Call `told` with every change, until the answer is called. After a gap in the connection nobody
 * says what has changed meanwhile: look at `connection` for that. */
export function onObjects(told: (changes: readonly ObjectChange[]) => void): () => void {
  return subscribe("objects", (data) => told((data as { changed: readonly ObjectChange[] }).changed));
}
