import { useState } from "preact/hooks";

import { duration } from "../../format";
import { messages } from "../../i18n";
import { now } from "../../now";
import { go, href, route } from "../../router";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { replay } from "./actions";
import { Attempts } from "./attempts";
import { FilterView } from "./filterview";
import { texts } from "./messages";
import { StateBadge } from "./statebadge";
import { nextIn } from "./timeline";
import { named, type Row } from "./types";

const t = messages(texts);

interface DeliveryProps {
  row: Row;
  /** When the event came, in milliseconds. */
  from: number;
  arrival: number;
  eventId: string;
}

/** A trigger or subscription and the event: the verdict, what decided, and each attempt. */
export function Delivery({ row, from, arrival, eventId }: DeliveryProps) {
  const title = `${row.kind} ${named(row)}`;
  return (
    <article class={`events-delivery${row.matched ? "" : " unwanted"}`} aria-label={title}>
      <div class="row events-delivery-head">
        <Icon name={row.matched ? "check" : "close"} />
        <a class="events-egress" href={href("map", [], { at: `${row.kind}/${named(row)}` })}>{title}</a>
        {row.matched ? <StateBadge state={row.state} /> : <span class="quiet">{t("notWanted")}</span>}
        <Next row={row} />
        {row.kind !== "Replay" && arrival > 0 && <Only row={row} arrival={arrival} />}
      </div>
      <p class="events-why">{row.why}</p>
      <FilterView filter={row.filter} parts={row.parts} open={!row.matched} />
      {row.attempts.length > 0 && <Attempts row={row} from={from} eventId={eventId} />}
    </article>
  );
}

/** Counts down while a delivery waits between two attempts. */
function Next({ row }: { row: Row }) {
  const last = row.attempts.at(-1);
  if (!last || last.nextIn === null || row.state !== "delivering") return null;
  const left = nextIn(row, now.value);
  return <span class="quiet" role="timer">{left ? t("next", { time: duration(Math.ceil(left)) }) : t("nextNow")}</span>;
}

/** Send the event again, to this one alone. */
function Only({ row, arrival }: { row: Row; arrival: number }) {
  const [busy, set] = useState(false);
  const send = async (): Promise<void> => {
    set(true);
    const [first] = await replay(arrival, named(row));
    set(false);
    if (first) go("events", [String(first.arrival)], route.value.query);
  };
  return <span class="spread"><Button kind="quiet" icon="send" busy={busy} onClick={() => void send()}>{t("replayTo")}</Button></span>;
}
