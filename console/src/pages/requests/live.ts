/** The list of requests as it grows, and waits while somebody reads it. */
import { useEffect, useRef, useState } from "preact/hooks";

import { get } from "../../api";
import { connection, subscribe } from "../../live";
import { LONG_PAUSE, PAUSE, paced } from "../../pace";
import { asked, joined, matches, type Filter, type Row } from "./model";

interface Message {
  readonly items: readonly Row[];
  readonly skipped: number;
}

export interface Live {
  readonly rows: readonly Row[] | null;
  /** How many have come since the list waits. */
  readonly waiting: number;
  /** How many came faster than the feed tells them. */
  readonly skipped: number;
  readonly error: unknown;
  /** Services of which there have been requests, as `namespace/name`. */
  readonly services: readonly string[];
  readonly release: () => void;
}

/** Typing is not asked about letter by letter. */
const TYPING = 200;

export function useLive(filter: Filter, wanted: (row: Row) => boolean, hold: boolean): Live {
  const [rows, setRows] = useState<readonly Row[] | null>(null);
  const [held, setHeld] = useState<readonly Row[]>([]);
  const [skipped, setSkipped] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [services, setServices] = useState<readonly string[]>([]);
  const now = useRef({ filter, wanted, hold });
  now.current = { filter, wanted, hold };
  const query = asked(filter);

  const note = (found: readonly Row[]): void =>
    setServices((known) => {
      const all = new Set([...known, ...found.map((row) => `${row.namespace}/${row.service}`)]);
      return all.size === known.length ? known : [...all].sort();
    });

  // After the connection was lost there may be another run at the other end.
  const lost = connection.value === "lost";
  useEffect(() => {
    if (lost) return;
    const leave = new AbortController();
    const timer = setTimeout(() => {
      get<{ requests: readonly Row[] }>(`/knlite/requests?${query}`, leave.signal).then(
        (answer) => {
          setRows(answer.requests);
          setHeld([]);
          setSkipped(0);
          setError(null);
          note(answer.requests);
        },
        (reason: unknown) => {
          if (!leave.signal.aborted) setError(reason);
        },
      );
    }, rows === null ? 0 : TYPING);
    return () => {
      clearTimeout(timer);
      leave.abort();
    };
  }, [query, lost]);

  useEffect(() => {
    let come: readonly Row[] = [];
    let left = 0;
    let flood = false;
    const pace = paced(() => {
      const [newer, more] = [come, left];
      [come, left] = [[], 0];
      if (more > 0) setSkipped((n) => n + more);
      if (newer.length === 0) return;
      note(newer);
      const kept = newer.filter((row) => matches(row, now.current.filter));
      if (kept.length === 0) return;
      if (now.current.hold) setHeld((before) => joined(before, kept));
      else setRows((before) => (before === null ? before : joined(before, kept)));
    }, () => (flood ? LONG_PAUSE : PAUSE));
    const leave = subscribe("requests", (data) => {
      const message = data as Message;
      come = joined(come, message.items.toReversed());
      left += message.skipped;
      flood = message.skipped > 0;
      pace.wanted();
    });
    return () => {
      leave();
      pace.end();
    };
  }, []);

  const release = (): void => {
    setRows((before) => joined(before ?? [], held));
    setHeld([]);
  };
  useEffect(() => {
    if (!hold && held.length > 0) release();
  }, [hold]);

  return { rows: rows?.filter(wanted) ?? null, waiting: held.filter(wanted).length, skipped, error, services, release };
}
