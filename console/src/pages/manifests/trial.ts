/** Tries a text while it is written, without changing anything. */
import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError, post } from "../../api";
import type { Problem } from "../../ui/editor";
import type { Result } from "./types";

const PAUSE = 400;

export interface Trial {
  readonly state: "idle" | "trying" | "done" | "failed";
  readonly result: Result | null;
  readonly problems: readonly Problem[];
}

const IDLE: Trial = { state: "idle", result: null, problems: [] };

interface Edited {
  /** The object that is edited, as its address has it, and its state when it was opened. */
  readonly path: string;
  readonly state: string;
}

/** Send a text; `edited` says which object it replaces, if it does. */
export function send(text: string, edited: Edited | null, dryRun: boolean, signal?: AbortSignal): Promise<Result> {
  const query = new URLSearchParams();
  if (dryRun) query.set("dryRun", "true");
  if (edited) {
    query.set("object", edited.path);
    query.set("state", edited.state);
  }
  return post<Result>(`/knlite/manifests?${query}`, text, "application/yaml", signal);
}

/** What would become of `text`, a moment after the last key; nothing is tried while `off`. */
export function useTrial(text: string, edited: Edited | null, off: boolean): Trial {
  const [trial, set] = useState(IDLE);
  const newest = useRef(0);
  useEffect(() => {
    const mine = (newest.current += 1);
    if (off || text.trim() === "") {
      set(IDLE);
      return;
    }
    const abort = new AbortController();
    set((before) => ({ ...before, state: "trying" }));
    const timer = setTimeout(() => {
      send(text, edited, true, abort.signal).then(
        (result) => {
          if (mine === newest.current) set({ state: "done", result, problems: result.problems });
        },
        (error: unknown) => {
          if (mine === newest.current && error instanceof ApiError) set({ state: "failed", result: null, problems: [{ line: 1, message: error.message, level: "error" }] });
        },
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, edited?.path, edited?.state, off]);
  return trial;
}
