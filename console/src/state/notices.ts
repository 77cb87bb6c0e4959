/** What happened, in sentences, as the feed's topic `notices` tells it. */
import { signal } from "@preact/signals";

export interface Notice {
  readonly at: string;
  readonly level: string;
  readonly kind: string;
  /** `Kind/namespace/name`. */
  readonly object?: string;
  readonly text: string;
}

/** The newest first; bounded. */
export const notices = signal<readonly Notice[]>([]);
