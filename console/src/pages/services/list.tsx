import { useMemo, useState } from "preact/hooks";

import { messages } from "../../i18n";
import { now } from "../../now";
import { go, href } from "../../router";
import { covers } from "../../selection";
import { useFollowing } from "../../state/follow";
import { followGraph } from "../../state/graph";
import { followInstances, instances, type Instance } from "../../state/instances";
import { followLoad, load } from "../../state/load";
import { Badge } from "../../ui/badge";
import { Code } from "../../ui/code";
import { Copy } from "../../ui/copy";
import { Empty, Trouble } from "../../ui/empty";
import { Search } from "../../ui/field";
import { Named } from "../../ui/named";
import { Sparkline } from "../../ui/sparkline";
import { Table, type Column, type Sort } from "../../ui/table";
import { Dots } from "./dots";
import { EXAMPLE } from "./example";
import { texts } from "./messages";
import { useServices, type ServiceRow } from "./model";
import { known, past, rate, type Past } from "./past";
import { amount, counted, standing, together, unwrapped } from "./words";

const t = messages(texts);

/** A service with what it does just now. */
interface Shown {
  readonly row: ServiceRow;
  readonly its: readonly Instance[];
  readonly past: Past;
  readonly load: ReturnType<typeof together>;
  readonly rate: number;
}

export function List() {
  useFollowing(followGraph, followInstances, followLoad);
  const { value, error, again } = useServices();
  const [text, search] = useState("");
  const [sort, order] = useState<Sort>({ key: "name", down: false });
  const rows = value ?? [];
  const wanted = rows.filter((row) => covers(row.kind, row.namespace, row.name) && matches(row, text));
  const shown = sorted(wanted.map(alive), sort);
  const many = new Set(rows.map((row) => row.namespace)).size > 1;
  const table = useMemo(() => columns(many), [many, t("name")]);

  return (
    <div class="page services-list">
      <header class="page-head">
        <h1>{t("title")}</h1>
        <span class="quiet" aria-live="polite">{value ? t("nServices", { n: shown.length }) : ""}</span>
        <Search label={t("search")} value={text} onInput={search} />
      </header>
      {error !== null && <Trouble error={error} retry={again} />}
      {value && (
        <Table
          label={t("title")}
          columns={table}
          rows={shown}
          rowKey={({ row }) => `${row.kind}/${row.namespace}/${row.name}`}
          onOpen={({ row }) => go("services", [row.namespace, row.name])}
          sort={sort}
          onSort={order}
          empty={rows.length === 0 ? <None /> : <Empty icon="search" title={t("noMatch")}>{t("noMatchWhy")}</Empty>}
        />
      )}
    </div>
  );
}

function None() {
  return (
    <Empty icon="services" title={t("none")}>
      <p>{t("noneWhy")}</p>
      <Code text={EXAMPLE} as="yaml" label={t("noneExample")} />
    </Empty>
  );
}

function alive(row: ServiceRow): Shown {
  const its = instances.value.filter((each) => each.namespace === row.namespace && each.service === row.name);
  const told = [...load.value.values()].filter((samples) => samples[0]?.namespace === row.namespace && samples[0]?.service === row.name);
  const seen = past(told, now.value / 1000 - 1, 60);
  return { row, its, past: seen, rate: rate(seen), load: together(told.flatMap((samples) => samples.at(-1) ?? [])) };
}

const matches = (row: ServiceRow, text: string): boolean => `${row.namespace}/${row.name} ${row.image} ${row.reason}`.toLowerCase().includes(text.trim().toLowerCase());

const ORDER = ["failed", "starting", "ready", "frozen", "gone", "accent"];

function sorted(rows: readonly Shown[], sort: Sort): Shown[] {
  const by: Record<string, (one: Shown, other: Shown) => number> = {
    state: (one, other) => ORDER.indexOf(toneOf(one)) - ORDER.indexOf(toneOf(other)),
    instances: (one, other) => other.its.length - one.its.length,
    requests: (one, other) => other.rate - one.rate,
    concurrency: (one, other) => other.load.concurrency - one.load.concurrency,
  };
  const name = (one: Shown, other: Shown): number => `${one.row.namespace}/${one.row.name}`.localeCompare(`${other.row.namespace}/${other.row.name}`);
  const compare = by[sort.key] ?? name;
  const found = [...rows].sort((one, other) => compare(one, other) || name(one, other));
  return sort.down ? found.reverse() : found;
}

const toneOf = ({ row, its }: Shown): string => standing(row, counted(its)).tone;

function columns(many: boolean): Column<Shown>[] {
  return [
    {
      key: "name",
      title: t("name"),
      width: "16%",
      sortable: true,
      render: ({ row }) => (
        <a class="service-name" href={href("services", [row.namespace, row.name])}>
          <Named namespace={many && row.namespace !== "default" ? row.namespace : ""} title={`${row.namespace}/${row.name}`}><b>{row.name}</b>{row.kind === "Route" && <span class="quiet"> Route</span>}</Named>
        </a>
      ),
    },
    { key: "state", title: t("state"), width: "144px", sortable: true, render: (shown) => <State {...shown} /> },
    { key: "url", title: t("address"), hide: "medium", render: ({ row }) => <Address row={row} /> },
    { key: "instances", title: t("instances"), width: "104px", sortable: true, render: ({ its }) => <Dots instances={its} most={6} /> },
    { key: "concurrency", title: t("concurrency"), width: "128px", hide: "narrow", number: true, sortable: true, render: (shown) => <Concurrency {...shown} /> },
    {
      key: "requests",
      title: t("requests"),
      width: "160px",
      hide: "narrow",
      sortable: true,
      number: true,
      render: ({ past: seen, rate: perSecond }) => (
        <span class="spark">
          <Sparkline width={84} values={known(seen.requests)} label={t("requestsTold", { n: amount(perSecond) })} />
          <span class="spark-number">{amount(perSecond)}<small class="quiet"> {t("perSecond")}</small></span>
        </span>
      ),
    },
    {
      key: "past",
      title: t("pastInstances"),
      width: "116px",
      hide: "medium",
      render: ({ past: seen }) => <Sparkline width={84} tone="ready" values={known(seen.ready)} label={t("pastInstancesTold", { n: seen.ready.at(-1) ?? 0 })} />,
    },
  ];
}

function State({ row, its }: Shown) {
  const { tone, key, values } = standing(row, counted(its));
  return <Badge tone={tone} {...(row.message ? { title: row.message } : {})}>{t(key, values)}</Badge>;
}

function Concurrency({ load: now, its, row }: Shown) {
  if (its.length === 0 || row.ready === "False") return <span class="quiet">–</span>;
  return (
    <span title={t("concurrencyWhy", { now: amount(now.concurrency), target: amount(now.target) })}>
      {now.panic && <span class="panic">{t("panic")} </span>}
      {amount(now.concurrency)}
      {now.metric === "concurrency" && now.target > 0 && <span class="quiet"> / {amount(now.target)}</span>}
    </span>
  );
}

function Address({ row }: { row: ServiceRow }) {
  if (row.ready === "False" && row.message) return <span class="why" title={row.message}>{unwrapped(row.message)}</span>;
  if (!row.url) return <span class="quiet">–</span>;
  return (
    <span class="address">
      <a class="mono cut" href={row.url} target="_blank" rel="noreferrer noopener">{row.url}</a>
      <Copy text={row.url} label={t("copyUrl")} />
    </span>
  );
}
