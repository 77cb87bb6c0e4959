import { useEffect, useState } from "preact/hooks";

import { messages } from "../../../i18n";
import { Trouble } from "../../../ui/empty";
import { Icon } from "../../../ui/icon";
import { isSound, type Draft } from "../draft";
import { FilterView } from "../filterview";
import { texts } from "../messages";
import { named, type Row } from "../types";
import { foretell, type Target } from "./sending";

const t = messages(texts);
/** Milliseconds without a change after which the server is asked. */
const PAUSE = 200;

/** Who would get the event that is being written, and why not. */
export function DryRun({ draft, target }: { draft: Draft; target: Target | null }) {
  const { rows, error } = useForetold(draft, target);
  if (!target) return <p class="quiet">{t("noTarget")}</p>;
  if ("url" in target) return <p class="quiet">{t("dryUrl")}</p>;
  if (error !== null) return <Trouble error={error} />;
  if (!rows) return <p class="quiet">{isSound(draft) ? "…" : t("dryUnsound")}</p>;
  if (rows.length === 0) return <p class="quiet">{t("dryNone")}</p>;
  const n = rows.filter((row) => row.matched).length;
  const sorted = [...rows].sort((a, b) => Number(b.matched) - Number(a.matched));
  return (
    <div class="stack">
      <p aria-live="polite"><strong>{t("dryCount", { n, all: rows.length })}</strong></p>
      {sorted.map((row) => (
        <article key={row.uid} class={`events-delivery${row.matched ? "" : " unwanted"}`} aria-label={`${row.kind} ${named(row)}`}>
          <div class="row events-delivery-head">
            <Icon name={row.matched ? "check" : "close"} />
            <span class="events-egress">{row.kind} {named(row)}</span>
            <span class="quiet">{t(row.matched ? "wanted" : "notWanted")}</span>
          </div>
          <p class="events-why">{row.why}</p>
          <FilterView filter={row.filter} parts={row.parts} open={!row.matched} />
        </article>
      ))}
    </div>
  );
}

function useForetold(draft: Draft, target: Target | null): { rows: readonly Row[] | null; error: unknown } {
  const [told, set] = useState<{ rows: readonly Row[] | null; error: unknown }>({ rows: null, error: null });
  const place = target && "place" in target ? target.place : null;
  const sound = isSound(draft);
  const key = JSON.stringify([draft, place]);
  useEffect(() => {
    // While it is unsound what was told last stands there, unless nothing has been told.
    if (!place || !sound) return;
    const aborting = new AbortController();
    const timer = setTimeout(() => {
      foretell(draft, place, aborting.signal).then(
        (rows) => set({ rows, error: null }),
        (error: unknown) => {
          if (!aborting.signal.aborted) set({ rows: null, error });
        },
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      aborting.abort();
    };
  }, [key, sound]);
  return told;
}
