/** The lines that the page shows, kept outside of what is drawn: there may be fifty thousand. */
import { useEffect, useRef, useState } from "preact/hooks";

import { paced } from "../../pace";
import { follow } from "./follow";
import { Lines, type LogRow } from "./lines";

export interface Shown {
  readonly lines: Lines;
  /** Another number whenever there are other lines. */
  readonly version: number;
  readonly state: "loading" | "open" | "lost";
  readonly error: unknown;
  readonly older: number;
  readonly missed: number;
  readonly services: readonly string[];
  /** Say that other lines are to be seen of the same. */
  readonly touch: () => void;
}

/** A browser allows few connections to one server: a page that nobody sees for long gives its own
 * up, and gets all lines anew when it is seen again. */
const FORGOTTEN = 30_000;

function whileSeen(begin: () => () => void): () => void {
  let stop: (() => void) | null = begin();
  let timer = 0;
  const changed = (): void => {
    clearTimeout(timer);
    if (!document.hidden) stop ??= begin();
    else
      timer = window.setTimeout(() => {
        stop?.();
        stop = null;
      }, FORGOTTEN);
  };
  document.addEventListener("visibilitychange", changed);
  return () => {
    document.removeEventListener("visibilitychange", changed);
    clearTimeout(timer);
    stop?.();
  };
}

/** What a query selects and is wanted; the stream is begun anew when `within`, by which that is judged,
 * is another. */
export function useStream(query: string, within: string, wanted: (row: LogRow) => boolean): Shown {
  const lines = useRef(new Lines()).current;
  const judge = useRef(wanted);
  judge.current = wanted;
  const [version, setVersion] = useState(0);
  const [about, setAbout] = useState<Pick<Shown, "state" | "error" | "older" | "missed">>({ state: "loading", error: null, older: 0, missed: 0 });
  const [services, setServices] = useState<readonly string[]>([]);
  const touch = (): void => setVersion((n) => n + 1);

  useEffect(() => {
    setAbout({ state: "loading", error: null, older: 0, missed: 0 });
    const seen = new Set<string>();
    let missed = 0;
    const pace = paced(() => {
      setServices((known) => {
        const all = new Set([...known, ...seen]);
        return all.size === known.length ? known : [...all].sort();
      });
      setAbout((before) => (before.missed === missed ? before : { ...before, missed }));
      touch();
    });
    const begin = (): (() => void) => follow(query, {
      batch: (batch, first) => {
        if (first) lines.clear();
        lines.append(batch.lines.filter((row) => judge.current(row)));
        for (const row of batch.lines) seen.add(`${row.namespace}/${row.service}`);
        // What is left out of the first are older ones.
        missed = first ? 0 : missed + batch.skipped;
        if (first) setAbout({ state: "open", error: null, older: batch.skipped, missed });
        pace.wanted();
      },
      lost: () => setAbout((before) => ({ ...before, state: "lost" })),
      refused: (error) => setAbout((before) => ({ ...before, state: "open", error })),
    });
    const end = whileSeen(begin);
    return () => {
      end();
      pace.end();
      lines.clear();
    };
  }, [query, within]);
  return { lines, version, ...about, services, touch };
}
