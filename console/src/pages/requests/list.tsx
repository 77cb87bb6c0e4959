/** The list of requests, newest first. */
import { useState } from "preact/hooks";

import { count, duration } from "../../format";
import { language } from "../../i18n";
import { ask, go, route } from "../../router";
import { covers } from "../../selection";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Empty, Note, Trouble } from "../../ui/empty";
import { Search, Select, Switch } from "../../ui/field";
import { FilterChip } from "../../ui/filterchip";
import { Named } from "../../ui/named";
import { Bar, inWords, way } from "../../ui/stagebar";
import { Table, type Column } from "../../ui/table";
import { Time } from "../../ui/time";
import { useLive } from "./live";
import { keyOf, reach, type Filter, type Row } from "./model";
import { Status } from "./status";
import { t } from "./words";

const CHIPS = ["event", "revision", "instance"] as const;
const SLOWER = [0.01, 0.1, 0.5, 1, 5];

/** What the address says. */
function filterOf(query: Readonly<Record<string, string>>): Filter {
  return { text: query["text"] ?? "", service: query["service"] ?? "", status: query["status"] ?? "", cold: query["cold"] === "true", slower: Number(query["slower"]) || 0, event: query["event"] ?? "", revision: query["revision"] ?? "", instance: query["instance"] ?? "" };
}

export function List() {
  const { rest, query } = route.value;
  const filter = filterOf(query);
  const [paused, setPaused] = useState(false);
  const [reading, setReading] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  /** Whether the keyboard is on a row. */
  const [on, setOn] = useState(false);
  const hold = paused || reading || scrolled || on;
  const live = useLive(filter, (row) => covers("Service", row.namespace, row.service), hold);
  const filtered = filter.text !== "" || filter.service !== "" || filter.status !== "" || filter.cold || filter.slower > 0 || CHIPS.some((name) => filter[name] !== "") || query["at"] !== undefined;
  const open = rest[0];
  const selected = live.rows?.find((row) => row.id === open && (query["number"] === undefined || query["number"] === String(row.number)));
  const services = filter.service !== "" && !live.services.includes(filter.service) ? [filter.service, ...live.services] : live.services;

  return (
    <>
      <div class="row filters">
        <Search label={t("search")} value={filter.text} onInput={(text) => ask({ text })} />
        <Select bare label={t("service")} value={filter.service} onChange={(service) => ask({ service })} options={[{ value: "", label: t("allServices") }, ...services.map((each) => ({ value: each, label: each }))]} />
        <Select
          bare
          label={t("status")}
          value={filter.status}
          onChange={(status) => ask({ status })}
          options={[{ value: "", label: t("anyStatus") }, { value: "failed", label: t("failedOnly") }, ...["2xx", "3xx", "4xx", "5xx"].map((each) => ({ value: each, label: each }))]}
        />
        <Select bare label={t("slower")} value={filter.slower ? String(filter.slower) : ""} onChange={(slower) => ask({ slower })} options={[{ value: "", label: t("anyTime") }, ...SLOWER.map((each) => ({ value: String(each), label: t("over", { time: duration(each) }) }))]} />
        <Switch label={t("cold")} on={filter.cold} onChange={(on) => ask({ cold: on ? "true" : undefined })} />
        {CHIPS.filter((name) => filter[name] !== "").map((name) => (
          <FilterChip key={name} label={`${t(name)} ${filter[name]}`} onRemove={() => ask({ [name]: undefined })} />
        ))}
        <span class="spread row">
          <span aria-live="polite">
            {live.waiting > 0 && (
              <Button
                kind="primary"
                icon="down"
                title={t("held")}
                onClick={() => {
                  live.release();
                  document.querySelector(".request-list .table-box")?.scrollTo({ top: 0 });
                }}
              >
                {t("new", { n: live.waiting })}
              </Button>
            )}
          </span>
          <Button icon={paused ? "play" : "pause"} pressed={paused} onClick={() => setPaused(!paused)}>{paused ? t("resume") : t("pause")}</Button>
        </span>
      </div>
      {live.error !== null && <Trouble error={live.error} />}
      {live.skipped > 0 && <Note>{t("skipped", { n: count(live.skipped, language.value) })}</Note>}
      {live.rows && (
        <div
          class="request-list"
          onPointerEnter={(event) => setReading(event.pointerType === "mouse")}
          onPointerLeave={() => setReading(false)}
          onFocusCapture={(event) => setOn(event.target instanceof Element && event.target.matches("tbody :focus-visible"))}
          onBlurCapture={() => setOn(false)}
          onScrollCapture={(event) => setScrolled(event.target instanceof Element && event.target.scrollTop > 0)}
        >
          <Table
            label={t("title")}
            columns={columns()}
            rows={live.rows}
            rowKey={keyOf}
            flowing
            onOpen={(row) => go("requests", [row.id], { ...route.value.query, number: String(row.number) })}
            selected={selected && keyOf(selected)}
            empty={
              filtered ? (
                <Empty icon="search" title={t("noneMatch")}>
                  <p>{t("noneMatchHow")}</p>
                  <Button onClick={() => ask({ text: undefined, service: undefined, status: undefined, cold: undefined, slower: undefined, event: undefined, revision: undefined, instance: undefined, at: undefined })}>{t("reset")}</Button>
                </Empty>
              ) : (
                <Empty icon="requests" title={t("none")}>
                  <p>{t("noneHow")}</p>
                  <code>curl http://SERVICE.NAMESPACE.localhost:8080/</code>
                </Empty>
              )
            }
          />
        </div>
      )}
    </>
  );
}

const columns = (): readonly Column<Row>[] => [
  { key: "at", title: t("at"), width: "112px", hide: "narrow", render: (row) => <Time at={row.at} show="clock" /> },
  { key: "status", title: t("status"), width: "76px", render: (row) => <Status row={row} /> },
  {
    key: "request",
    title: t("request"),
    render: (row) => (
      <span class="request-cell">
        <span class="cut" title={`${row.method} ${row.path}`}><span class="quiet">{row.method}</span> {row.path}</span>
        {row.cold && <Badge tone="frozen">{t("coldMark")}{row.how && <span class="how">, {way(row.how)}</span>}</Badge>}
      </span>
    ),
  },
  { key: "service", title: t("service"), width: "20%", hide: "narrow", render: (row) => <Named namespace={row.namespace} title={`${row.namespace}/${row.revision}`}>{row.service}</Named> },
  { key: "duration", title: t("duration"), width: "84px", number: true, render: (row) => duration(row.seconds) },
  {
    key: "where",
    title: t("where"),
    width: "22%",
    hide: "medium",
    render: (row) => (
      <span class="mini" title={inWords(row.stages)}>
        <Bar stages={row.stages} total={row.seconds} width={reach(row.seconds)} />
        <span class="unseen">{inWords(row.stages)}</span>
      </span>
    ),
  },
];
