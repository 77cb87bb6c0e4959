import { ago, clock, duration, full } from "../format";
import { language } from "../i18n";
import { now } from "../now";

/** When something was: how long ago, or the time of day; the whole of it when pointed at. */
export function Time({ at, show = "ago" }: { at: string | number; show?: "ago" | "clock" }) {
  const when = typeof at === "number" ? at : Date.parse(at);
  if (!Number.isFinite(when)) return <span>–</span>;
  const into = language.value;
  return (
    <time dateTime={new Date(when).toISOString()} title={full(when, into)}>
      {show === "clock" ? clock(when) : ago(when, Math.max(when, now.value), into)}
    </time>
  );
}

export function Duration({ seconds }: { seconds: number | null | undefined }) {
  return <span>{seconds == null ? "–" : duration(seconds)}</span>;
}
