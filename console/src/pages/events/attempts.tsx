import { clock, duration } from "../../format";
import { messages } from "../../i18n";
import { href, route } from "../../router";
import { Badge } from "../../ui/badge";
import { texts } from "./messages";
import { bars, toneOf, type Bar } from "./timeline";
import type { Row } from "./types";

const t = messages(texts);

/** Each attempt: when it was and how long it took, on one line of time, and how it went. */
export function Attempts({ row, from, eventId }: { row: Row; from: number; eventId: string }) {
  return (
    <ol class="events-attempts" aria-label={t("attempts")}>
      {bars(row.attempts, from).map((bar, index) => <AttemptRow key={index} bar={bar} eventId={eventId} />)}
      {row.leftOut > 0 && <li class="quiet">{t("leftOut", { n: row.leftOut })}</li>}
    </ol>
  );
}

function AttemptRow({ bar, eventId }: { bar: Bar; eventId: string }) {
  const { attempt } = bar;
  const tone = toneOf(attempt);
  return (
    <li class={`events-attempt ${tone}`}>
      <time class="quiet" dateTime={attempt.at}>{clock(Date.parse(attempt.at))}</time>
      <span class="events-leg">{t(`leg.${attempt.leg}`)} {attempt.attempt > 0 && <span class="quiet" title={t("attempt", { n: attempt.attempt })}>#{attempt.attempt}</span>}</span>
      <Badge tone={tone} title={attempt.why}>{attempt.status > 0 ? attempt.status : t("noAnswer")}</Badge>
      <span class="number">{duration(attempt.seconds)}</span>
      <span class="events-bar" aria-hidden="true"><i style={{ left: `${bar.left * 100}%`, width: `${bar.width * 100}%` }} /></span>
      <div class="events-said">
        <span class="quiet">{attempt.target}</span>
        {(attempt.why || attempt.outcome !== "delivered") && <p>{t(`outcome.${attempt.outcome}`)}{attempt.why && `: ${attempt.why}`}{attempt.nextIn !== null && ` · ${t("next", { time: duration(attempt.nextIn) })}`}</p>}
        {attempt.again && <p>{t("again")}</p>}
        {attempt.answer && <details><summary>{t("answer")}</summary><pre tabIndex={0}>{attempt.answer}</pre></details>}
        <span class="row">
          {attempt.instance && <a href={href("requests", [], { text: eventId, at: undefined })}>{t("requests")}</a>}
          {attempt.instance && <a href={href("logs", [], { instance: attempt.instance, at: undefined })}>{t("logs")}</a>}
          {attempt.entered > 0 && <a href={href("events", [String(attempt.entered)], route.value.query)}>{t(attempt.leg === "reply" ? "reply" : "wentOn")} {attempt.entered}</a>}
        </span>
      </div>
    </li>
  );
}
