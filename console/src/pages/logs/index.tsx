/** Logs: what all instances write, as one stream. */
import { useEffect, useState } from "preact/hooks";

import { clock, count } from "../../format";
import { language } from "../../i18n";
import { keep, kept } from "../../kept";
import { ask, route } from "../../router";
import { covered, covers, selection } from "../../selection";
import { useFollowing } from "../../state/follow";
import { followGraph } from "../../state/graph";
import { Button, IconButton } from "../../ui/button";
import { copyText, save } from "../../ui/clipboard";
import { Empty, Note, Trouble } from "../../ui/empty";
import { Search, Select, Switch } from "../../ui/field";
import { FilterChip } from "../../ui/filterchip";
import { OneLine } from "./line";
import { asText, type Line, type LogRow } from "./lines";
import { useStream } from "./stream";
import { View } from "./view";
import { t } from "./words";
import "./logs.css";

const USUAL = 2000;
const ALL = 50_000;
const PAUSE = 250;
const FILTERS = ["text", "service", "level", "revision", "instance", "request", "moment"] as const;
const CHIPS = ["revision", "instance", "request", "moment"] as const;

export default function LogsPage() {
  const { query } = route.value;
  useFollowing(followGraph);
  const text = useSettled(query["text"] ?? "");
  const [limit, setLimit] = useState(query["moment"] ? ALL : USUAL);
  const [wrap, setWrap] = useState(kept("wrap") !== "false");
  const [following, setFollowing] = useState(!query["moment"]);
  const [open, setOpen] = useState<Line | null>(null);
  const [marked, setMarked] = useState<number | null>(null);

  const at = selection.value;
  // Lines are judged when they come, and what a selection covers is known once the graph is.
  const within = [...(covered.value ?? [])].sort().join();
  const shown = useStream(asked(query, text, query["moment"] ? ALL : limit), within, (row: LogRow) => covers("Service", row.namespace, row.service));
  const { lines, version } = shown;
  const seen = lines.shown.length;
  const filtered = at !== null || FILTERS.some((name) => (query[name] ?? "") !== "");

  // What came since one left the end.
  const [left, setLeft] = useState(0);
  const unseen = following ? 0 : Math.max(0, (lines.all.at(-1)?.number ?? 0) - left);
  const follow = (on: boolean): void => {
    if (!on) setLeft(lines.all.at(-1)?.number ?? 0);
    setFollowing(on);
  };
  useEffect(() => {
    const moment = Date.parse(query["moment"] ?? "");
    if (Number.isNaN(moment)) return setMarked(null);
    follow(false);
    setMarked(lines.shown.find((line) => Date.parse(line.row.at) >= moment)?.number ?? null);
  }, [query["moment"], shown.state === "open"]);

  const services = query["service"] && !shown.services.includes(query["service"]) ? [query["service"], ...shown.services] : shown.services;
  return (
    <div class="page logs">
      <div class="page-head">
        <h1>{t("title")}</h1>
        <span class="quiet">{t("lines", { n: count(seen, language.value) })}</span>
        <span class="spread row">
          <Switch label={t("wrap")} on={wrap} onChange={(on) => {
            keep("wrap", String(on));
            setWrap(on);
          }} />
          <IconButton icon="copy" label={t("copy")} disabled={seen === 0} onClick={() => void copyText(asText(lines.shown), t("copied", { n: seen }), t("uncopied"))} />
          <IconButton icon="download" label={t("download")} disabled={seen === 0} onClick={() => save("knlite.log", asText(lines.shown), "text/plain")} />
        </span>
      </div>
      <div class="row filters">
        <Search label={t("search")} value={query["text"] ?? ""} onInput={(value) => ask({ text: value })} />
        <Select bare label={t("service")} value={query["service"] ?? ""} onChange={(service) => ask({ service })} options={[{ value: "", label: t("allServices") }, ...services.map((each) => ({ value: each, label: each }))]} />
        <Select bare label={t("level")} value={query["level"] ?? ""} onChange={(level) => ask({ level })} options={[{ value: "", label: t("level any") }, ...(["info", "warning", "error"] as const).map((each) => ({ value: each, label: t(`level ${each}`) }))]} />
        {CHIPS.filter((name) => query[name]).map((name) => {
          const value = query[name] ?? "";
          const label = t(`chip ${name}`, { value: name === "moment" ? clock(Date.parse(value)) : value });
          return <FilterChip key={name} label={label} onRemove={() => ask({ [name]: undefined })} />;
        })}
        <span class="spread row">
          <Button kind={!following && unseen > 0 ? "primary" : "plain"} icon="down" pressed={following} onClick={() => follow(!following)}>
            {following ? t("following") : unseen > 0 ? t("new", { n: unseen }) : t("follow")}
          </Button>
        </span>
      </div>
      {shown.state === "lost" && <Note tone="warning">{t("lost")}</Note>}
      {shown.error !== null && <Trouble error={shown.error} />}
      {shown.older > 0 && seen > 0 && limit === USUAL && <p class="quiet row">{t("older", { n: shown.older })} <Button kind="quiet" onClick={() => setLimit(ALL)}>{t("showOlder")}</Button></p>}
      {shown.missed > 0 && <Note>{t("missed", { n: shown.missed })}</Note>}
      {seen > 0 && (
        <View
          lines={lines}
          version={version}
          wrap={wrap}
          needle={text}
          following={following}
          onFollow={follow}
          onOpen={setOpen}
          onToggle={(head) => {
            lines.toggle(head);
            shown.touch();
          }}
          marked={marked}
        />
      )}
      {seen === 0 && shown.state === "loading" && <p class="quiet">{t("loading")}</p>}
      {seen === 0 && shown.state !== "loading" && shown.error === null && (filtered ? (
        <Empty icon="search" title={t("noneMatch")}>
          <p>{t("noneMatchHow")}</p>
          <Button onClick={() => ask({ ...Object.fromEntries(FILTERS.map((name) => [name, undefined])), at: undefined })}>{t("reset")}</Button>
        </Empty>
      ) : (
        <Empty icon="logs" title={t("none")}><p>{t("noneHow", { example: "curl http://SERVICE.NAMESPACE.localhost:8080/" })}</p></Empty>
      ))}
      {open && <OneLine line={open} group={lines.all.filter((line) => line.head === open.head)} onClose={() => setOpen(null)} />}
    </div>
  );
}

/** The query of the stream; text and everything else is judged by the server. */
function asked(query: Readonly<Record<string, string>>, text: string, limit: number): string {
  const found = new URLSearchParams({ limit: String(limit) });
  for (const name of ["service", "level", "revision", "instance", "request"]) if (query[name]) found.set(name, query[name]);
  if (text !== "") found.set("text", text);
  return found.toString();
}

/** A value once it has not changed for a moment: typing is not asked about letter by letter. */
function useSettled(value: string): string {
  const [settled, set] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => set(value), PAUSE);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
