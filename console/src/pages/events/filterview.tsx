import { messages } from "../../i18n";
import { filterLines } from "./filterlines";
import { texts } from "./messages";
import type { Filter, Part } from "./types";

const t = messages(texts);
const SIGNS = { passed: "✓", failed: "✗", error: "!" } as const;

/** A filter, with what decided marked in it and what was seen there beside it. */
export function FilterView({ filter, parts, open }: { filter: Filter; parts: readonly Part[]; open: boolean }) {
  const lines = filterLines(filter, parts);
  if (lines.length === 0) return null;
  return (
    <details class="events-filter" open={open}>
      <summary>{t("filter")}</summary>
      <pre tabIndex={0} role="group" aria-label={t("filter")}>
        {lines.map((line, index) => (
          <div key={index} class="events-line">
            {line.segments.map((segment, at) =>
              segment.mark ? <mark key={at} class={segment.mark}>{segment.text}<span class="sign" aria-hidden="true"> {SIGNS[segment.mark]}</span></mark> : segment.text,
            )}
            {line.seen && <span class="events-seen">{t("seen", { what: line.seen })}</span>}
          </div>
        ))}
      </pre>
    </details>
  );
}
