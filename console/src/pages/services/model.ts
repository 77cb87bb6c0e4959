/** Services as the server tells them (docs/console.md), read anew when their objects change. */
import { useEffect, useState } from "preact/hooks";

import { ApiError, get } from "../../api";
import { connection } from "../../live";
import { onObjects, type ObjectChange } from "../../state/changes";
import type { WantedTarget } from "./split";

interface Share {
  readonly revision: string;
  readonly latest: boolean;
  readonly percent: number;
  readonly tag: string;
  readonly url: string;
}

export interface ServiceRow {
  readonly kind: "Service" | "Route";
  readonly namespace: string;
  readonly name: string;
  readonly url: string;
  readonly address: string;
  readonly created: string;
  readonly ready: "True" | "False" | "Unknown" | "";
  readonly reason: string;
  readonly message: string;
  readonly latestCreated: string;
  readonly latestReady: string;
  readonly image: string;
  readonly revisions: number;
  readonly traffic: readonly Share[];
  readonly deleting: boolean;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly severity?: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Scaling {
  readonly metric: string;
  readonly target: number;
  readonly minScale: number;
  readonly maxScale: number;
  readonly initialScale: number;
  readonly stableWindow: number;
  readonly panicWindow: number;
  readonly panicThreshold: number;
  readonly burstCapacity: number;
  readonly containerConcurrency: number;
}

export interface Decision {
  readonly at: string;
  readonly was: number;
  readonly desired: number;
  readonly why: string;
  readonly panic?: boolean;
}

export interface Step {
  readonly at: string;
  readonly text: string;
  readonly share: number | null;
}

export interface Revision {
  readonly name: string;
  readonly created: string;
  readonly image: string;
  readonly digest: string;
  readonly origin: string;
  readonly code: string;
  readonly ready: "True" | "False" | "Unknown" | "";
  readonly reason: string;
  readonly message: string;
  readonly conditions: readonly Condition[];
  readonly percent: number;
  readonly tags: readonly string[];
  readonly routing: string;
  readonly actual: number;
  readonly desired: number;
  readonly timeout: number;
  readonly scaling: Scaling;
  readonly decisions: readonly Decision[];
  readonly excess: number | null;
  readonly path: { readonly at: string; readonly mode: string; readonly why: string } | null;
  readonly steps: readonly Step[];
}

export interface LastExit {
  readonly container: string;
  readonly reason: string;
  readonly exitCode: number;
  readonly message: string;
  readonly at: string;
}

export interface Pod {
  readonly name: string;
  readonly revision: string;
  readonly created: string;
  readonly started: string;
  readonly state: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly containers: number;
  readonly lastExit: LastExit | null;
}

export interface Detail {
  readonly service: ServiceRow;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly wanted: readonly WantedTarget[];
  readonly revisions: readonly Revision[];
  readonly instances: readonly Pod[];
  readonly domains: readonly { readonly name: string; readonly url: string; readonly ready: string; readonly reason: string; readonly message: string }[];
}

interface Read<T> {
  readonly value: T | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** Changes come in groups; one reading for each. */
const PAUSE = 150;

const OF_SERVICES = new Set(["Service", "Route", "Revision", "DomainMapping"]);

export const pathOf = (namespace: string, name: string): string => `/knlite/services/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

export function useServices(): Read<readonly ServiceRow[]> {
  const { value, error, again } = useRead<{ services: readonly ServiceRow[] }>("/knlite/services", (change) => OF_SERVICES.has(change.kind));
  return { value: value?.services ?? null, error, again };
}

export function useDetail(namespace: string, name: string): Read<Detail> {
  return useRead<Detail>(pathOf(namespace, name), (change) => change.namespace === namespace && (OF_SERVICES.has(change.kind) || change.kind === "Pod" || change.kind === "PodAutoscaler"));
}

/** What is at `path`, read anew when something happens that `matters` to it, and after a gap in the
 * connection. What was read stays while it is read again. */
function useRead<T>(path: string, matters: (change: ObjectChange) => boolean): Read<T> {
  const [{ value, error }, set] = useState<{ value: T | null; error: unknown }>({ value: null, error: null });
  const [turn, again] = useState(0);
  const open = connection.value === "open";
  useEffect(() => {
    const aborting = new AbortController();
    let timer = 0;
    let reading = false;
    let waiting = false;
    const read = async (): Promise<void> => {
      if (reading) {
        waiting = true;
        return;
      }
      reading = true;
      try {
        const found = await get<T>(path, aborting.signal);
        set({ value: found, error: null });
      } catch (failed) {
        // What has been deleted is not shown as if it were still there.
        const gone = failed instanceof ApiError && failed.status === 404;
        if (!aborting.signal.aborted) set((before) => ({ value: gone ? null : before.value, error: failed }));
      }
      reading = false;
      if (waiting && !aborting.signal.aborted) {
        waiting = false;
        timer = window.setTimeout(() => void read(), PAUSE);
      }
    };
    void read();
    const stop = onObjects((changes) => {
      if (!changes.some(matters)) return;
      clearTimeout(timer);
      timer = window.setTimeout(() => void read(), PAUSE);
    });
    return () => {
      stop();
      clearTimeout(timer);
      aborting.abort();
    };
  }, [path, turn, open]);
  return { value, error, again: () => again(turn + 1) };
}
