import { size } from "../../format";
import { messages } from "../../i18n";
import { useKeys } from "../../keys";
import { ask, go, href, route } from "../../router";
import { Button, ButtonLink } from "../../ui/button";
import { Code } from "../../ui/code";
import { Empty, Trouble } from "../../ui/empty";
import { Table, type Column } from "../../ui/table";
import { Time } from "../../ui/time";
import { texts } from "./messages";
import { useEvents } from "./reading";
import type { Params } from "./search";
import { SearchBar } from "./searchbar";
import { StateBadge } from "./statebadge";
import { STATES, named, type Summary } from "./types";

const t = messages(texts);

const columns = (): Column<Summary>[] => [
  { key: "time", title: t("time"), width: "112px", hide: "narrow", render: (event) => <Time at={event.at} show="clock" /> },
  { key: "state", title: t("state"), width: "132px", render: (event) => <StateBadge state={event.state} /> },
  { key: "type", title: t("type"), render: (event) => <strong class="events-type">{event.type}{event.replayOf > 0 && <span class="quiet"> · {t("repeats")}</span>}</strong> },
  { key: "id", title: t("id"), width: "12%", hide: "narrow", render: (event) => <code>{event.id}</code> },
  { key: "source", title: t("source"), width: "13%", hide: "narrow", render: (event) => event.source },
  { key: "subject", title: t("subject"), width: "10%", hide: "medium", render: (event) => event.subject },
  { key: "to", title: t("to"), width: "12%", hide: "medium", render: (event) => <span title={event.to.kind}>{named(event.to)}</span> },
  { key: "deliveries", title: t("deliveries"), width: "88px", hide: "narrow", number: true, render: (event) => <Deliveries event={event} /> },
  { key: "size", title: t("size"), width: "72px", hide: "medium", number: true, render: (event) => size(event.size) },
];

interface ListProps {
  typed: string;
  asked: Params;
  arrival: number;
  onType: (next: string) => void;
}

/** Events, the newest first; new ones come in by themselves. */
export function List({ typed, asked, arrival, onType }: ListProps) {
  const list = useEvents(asked);
  const rows = list.rows.value;
  const open = (event: Summary): void => go("events", [String(event.arrival)], route.value.query);
  const step = (by: number): void => {
    const index = rows.findIndex((row) => row.arrival === arrival);
    const next = rows[index < 0 ? 0 : index + by];
    if (next) open(next);
  };
  useKeys([
    { keys: "j", label: () => t("keyNext"), run: () => step(1) },
    { keys: "k", label: () => t("keyPrevious"), run: () => step(-1) },
    { keys: "p", label: () => t("keyPause"), run: () => list.pause(!list.paused.value) },
  ]);
  const paused = list.paused.value;
  return (
    <>
      <SearchBar typed={typed} onType={onType} states={STATES}>
        <Button icon={paused ? "play" : "pause"} pressed={paused} onClick={() => list.pause(!paused)} title="p">{t(paused ? "resume" : "pause")}</Button>
        <span class="events-fresh" aria-live="polite">{paused && list.fresh.value > 0 ? t("fresh", { n: list.fresh.value }) : ""}</span>
      </SearchBar>
      {list.error.value !== null && <Trouble error={list.error.value} retry={() => void list.load()} />}
      <div class="events-list">
        <Table
          label={t("list")}
          columns={columns()}
          rows={rows}
          rowKey={(event) => String(event.arrival)}
          flowing
          onOpen={open}
          selected={arrival ? String(arrival) : undefined}
          empty={list.loading.value || list.error.value !== null ? <p class="quiet padded">…</p> : <Nothing searched={Object.keys(asked).length > 0} />}
        />
      </div>
      {rows.length > 0 && (
        <div class="row quiet events-foot">
          {list.more.value ? <Button kind="quiet" icon="down" onClick={() => void list.older()}>{t("older")}</Button> : <span>{t("all")}</span>}
        </div>
      )}
    </>
  );
}

/** `2 / 3`: how many have got it, of those who wanted it. */
function Deliveries({ event }: { event: Summary }) {
  const all = Object.values(event.deliveries).reduce((sum, n) => sum + n, 0);
  if (all === 0) return <span class="quiet">–</span>;
  const words = Object.entries(event.deliveries).map(([state, n]) => `${n} ${state}`).join(", ");
  return <span title={words}>{event.deliveries.delivered ?? 0} / {all}</span>;
}

function Nothing({ searched }: { searched: boolean }) {
  if (searched) {
    return (
      <Empty icon="search" title={t("noMatch")}>
        <p>{t("noMatchHow")}</p>
        <Button onClick={() => ask({ q: undefined, id: undefined, at: undefined, when: undefined })}>{t("clear")}</Button>
      </Empty>
    );
  }
  return (
    <Empty icon="events" title={t("none")}>
      <p>{t("noneHow")}</p>
      <Code text={`knlite send --type order.paid --data '{"id": 17}' --wait`} />
      <ButtonLink href={href("send")} icon="send">{t("send")}</ButtonLink>
    </Empty>
  );
}
