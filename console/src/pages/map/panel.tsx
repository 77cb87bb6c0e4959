/** What is to be known of the selected object, and what can be done with it. */
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { ApiError, get } from "../../api";
import { count } from "../../format";
import { language, messages } from "../../i18n";
import { useEscape } from "../../keys";
import { href } from "../../router";
import { flow } from "../../state/flow";
import { graph, type GraphEdge, type GraphNode } from "../../state/graph";
import { manifestPath } from "../../state/objects";
import { Badge, Ready } from "../../ui/badge";
import { ButtonLink, IconButton } from "../../ui/button";
import { Copy } from "../../ui/copy";
import { Duration, Time } from "../../ui/time";
import { rateText } from "./flows";
import { kindText, Sign } from "./kinds";
import { texts } from "./messages";
import { beat, byService, choose, chosen, flows, nodesById, seconds } from "./model";

const t = messages(texts);

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export function Panel() {
  return chosen.value === "" ? null : <Opened />;
}

function Opened() {
  const node = useComputed(() => nodesById.value.get(chosen.value)).value;
  useEscape(() => choose(null));
  return (
    <aside class="aside-panel panel" aria-label={node ? `${kindText(node.kind)} ${node.name}` : chosen.value}>
      <header class="about-head">
        {node && <Sign node={node} />}
        <div class="about-title">
          <h2 class="cut" title={node?.name}>{node?.name ?? chosen.value}</h2>
          {node && <p class="quiet cut">{kindText(node.kind)}{node.namespace && ` · ${node.namespace}`}{node.detail && ` · ${node.detail}`}</p>}
        </div>
        <IconButton icon="close" label={t("close")} onClick={() => choose(null)} />
      </header>
      <div class="about-body">{node ? <About key={node.id} node={node} /> : <p class="quiet">{t("gone")}</p>}</div>
    </aside>
  );
}

function About({ node }: { node: GraphNode }) {
  return (
    <>
      <p class="row">
        {node.missing ? <Badge tone="failed">{t("missing")}</Badge> : node.ready !== "" && <Ready status={node.ready} reason={node.reason} message={node.message} />}
        {node.kind === "Service" && !node.missing && <span class="quiet">{t("instances", { n: byService.value.get(node.id)?.length ?? 0 })}</span>}
      </p>
      {node.ready !== "True" && node.message && <p class="about-said">{node.message}</p>}
      {node.url && <Address node={node} />}
      <Actions node={node} />
      <Ways node={node} />
      {node.plural && !node.missing && <Conditions node={node} />}
      {node.inbox && <Latest key={node.inbox} node={node} title={t("latestEvents")} />}
      {node.kind === "Trigger" && <Latest node={node} title={t("latestEvents")} />}
      {node.kind === "Service" && !node.missing && <Requests node={node} />}
    </>
  );
}

function Address({ node }: { node: GraphNode }) {
  const opens = node.kind === "Service" || node.kind === "Route" || node.kind === "URI";
  return (
    <div class="about-address">
      <code class="cut" title={node.url}>{node.url}</code>
      <Copy text={node.url} label={t("copyUrl")} />
      {opens && /^https?:\/\//.test(node.url) && <ButtonLink href={node.url} icon="external" kind="quiet" elsewhere>{t("open")}</ButtonLink>}
    </div>
  );
}

function Actions({ node }: { node: GraphNode }) {
  const { kind, namespace, name } = node;
  const [group, version] = node.apiVersion.includes("/") ? node.apiVersion.split("/") : ["", node.apiVersion];
  const yaml = node.plural && !node.missing ? href("manifests", manifestPath({ group: group ?? "", version: version ?? "", plural: node.plural, namespace, name })) : "";
  const inbox = node.inbox.split("/").slice(1).join("/");
  const to = kind === "Broker" ? { broker: inbox } : node.inbox && node.role !== "sink" ? { channel: inbox } : null;
  return (
    <p class="row actions">
      {to && <ButtonLink href={href("send", [], to)} icon="send">{t("send")}</ButtonLink>}
      {kind === "Service" && !node.missing && <ButtonLink href={href("services", [namespace, name])} icon="services">{t("serviceLink")}</ButtonLink>}
      {kind === "Service" && !node.missing && <ButtonLink href={href("logs")} icon="logs">{t("logsLink")}</ButtonLink>}
      {yaml && <ButtonLink href={yaml} icon="edit">{t("yaml")}</ButtonLink>}
    </p>
  );
}

/** Every edge in words, with what has gone along it. */
function Ways({ node }: { node: GraphNode }) {
  const mine = graph.value.edges.filter((edge) => edge.source === node.id || edge.target === node.id);
  return (
    <section>
      <h3>{t("ways")}</h3>
      {mine.length === 0 && <p class="quiet">{t("noWays")}</p>}
      <ul class="ways">
        {mine.map((edge) => <Way key={edge.id} edge={edge} node={node} />)}
      </ul>
    </section>
  );
}

function Way({ edge, node }: { edge: GraphEdge; node: GraphNode }) {
  const outward = edge.source === node.id;
  const other = nodesById.value.get(outward ? edge.target : edge.source);
  const sum = beat.value < 0 ? null : flows.sum(edge.flows, seconds());
  return (
    <li>
      <span class={`arrow ${edge.role}`} aria-hidden="true">{outward ? "→" : "←"}</span>
      <span class="way-text">
        <span class="quiet">{outward ? t(`role_${edge.role}`) : t("from")} </span>
        {other && <button type="button" class="node-link" onClick={() => choose(other)}>{kindText(other.kind)} {other.name}</button>}
        {edge.label && <span class="mono quiet way-label">{edge.label}</span>}
        {edge.shared && <span class="quiet way-label">{t("shared")}</span>}
      </span>
      {sum && sum.count > 0 && (
        <span class="number" title={t("total")}>
          {count(sum.count, language.value)}
          {sum.rate > 0 && ` · ${t("perSecond", { rate: rateText(sum.rate) })}`}
          {sum.failed > 0 && <span class="count-failed"> ▲ {t("failedOf", { n: sum.failed })}</span>}
        </span>
      )}
    </li>
  );
}

/** Of the object as it stands now; asked for again when the graph says that it is another. */
function Conditions({ node }: { node: GraphNode }) {
  const found = useSignal<readonly Condition[] | null>(null);
  const problem = useSignal("");
  useEffect(() => {
    const stop = new AbortController();
    const base = node.apiVersion.includes("/") ? `/apis/${node.apiVersion}` : `/api/${node.apiVersion}`;
    const path = `${base}/namespaces/${encodeURIComponent(node.namespace)}/${node.plural}/${encodeURIComponent(node.name)}`;
    get<{ status?: { conditions?: readonly Condition[] } }>(path, stop.signal).then(
      (object) => {
        found.value = object.status?.conditions ?? [];
        problem.value = "";
      },
      (error: unknown) => {
        if (!stop.signal.aborted) problem.value = error instanceof ApiError ? error.message : String(error);
      },
    );
    return () => stop.abort();
  }, [node.id, node.ready, node.reason, node.message]);
  return (
    <section>
      <h3>{t("conditions")}</h3>
      {problem.value && <p class="quiet" role="status">{problem.value}</p>}
      {found.value?.length === 0 && <p class="quiet">{t("noConditions")}</p>}
      <ul class="about-conditions">
        {found.value?.filter((each) => each.type !== "Ready").map((each) => (
          <li key={each.type}>
            <span class={`state ${each.status === "True" ? "ready" : each.status === "False" ? "failed" : "starting"}`} aria-hidden="true">{each.status === "True" ? "●" : each.status === "False" ? "▲" : "◐"}</span>
            <span>
              {each.type}
              <span class="unseen"> {each.status}</span>
              {each.status !== "True" && each.reason && <span class="quiet"> {each.reason}</span>}
              {each.status !== "True" && each.message && <span class="about-said">{each.message}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Summary {
  readonly arrival: number;
  readonly at: string;
  readonly id: string;
  readonly type: string;
  readonly state: string;
}

interface RequestRow {
  readonly id: string;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly seconds: number;
}

/** A few rows of a list of the server, asked for again when something has come. */
function useRows<T>(path: string, concerns: (key: string) => boolean, rows: (answer: Record<string, readonly T[]>) => readonly T[]) {
  const found = useSignal<readonly T[] | null>(null);
  const again = useSignal(0);
  useEffect(() => {
    const stop = new AbortController();
    get<Record<string, readonly T[]>>(path, stop.signal).then(
      (answer) => (found.value = rows(answer)),
      () => (found.value ??= []),
    );
    return () => stop.abort();
  }, [path, again.value]);
  const waiting = useSignal(0);
  useSignalEffect(() => {
    if (!Object.keys(flow.value.counts).some(concerns) || waiting.peek() !== 0) return;
    // Once a second is as often as anybody reads.
    waiting.value = window.setTimeout(() => {
      waiting.value = 0;
      again.value += 1;
    }, 1000);
  });
  useEffect(() => () => clearTimeout(waiting.peek()), []);
  return found.value;
}

function Latest({ node, title }: { node: GraphNode; title: string }) {
  const inbox = node.inbox.split("/").slice(1).join("/");
  const query = new URLSearchParams({ limit: "5" });
  query.set(node.kind === "Trigger" ? "egress" : node.kind === "Broker" ? "broker" : "channel", node.kind === "Trigger" ? `${node.namespace}/${node.name}` : inbox);
  const prefix = node.kind === "Trigger" ? `${node.id}|` : `${node.inbox}|in:`;
  const rows = useRows<Summary>(`/knlite/events?${query.toString()}`, (key) => key.startsWith(prefix), (answer) => [...(answer["events"] ?? [])].reverse());
  return (
    <section>
      <h3>{title} <a class="spread" href={href("events")}>{t("all")}</a></h3>
      {rows?.length === 0 && <p class="quiet">{t("noEvents")}</p>}
      <ul class="latest">
        {rows?.map((row) => (
          <li key={row.arrival}>
            <a class="cut" href={href("map", [], { event: String(row.arrival) })} title={row.id}>{row.type || row.id}</a>
            <span class={`word ${row.state.replace(" ", "-")}`}>{row.state}</span>
            <span class="quiet"><Time at={row.at} /></span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Requests({ node }: { node: GraphNode }) {
  const query = new URLSearchParams({ service: `${node.namespace}/${node.name}`, limit: "5" });
  const rows = useRows<RequestRow>(`/knlite/requests?${query.toString()}`, (key) => key === `${node.id}|requests`, (answer) => answer["requests"] ?? []);
  return (
    <section>
      <h3>{t("latestRequests")} <a class="spread" href={href("requests")}>{t("all")}</a></h3>
      {rows?.length === 0 && <p class="quiet">{t("noRequests")}</p>}
      <ul class="latest">
        {rows?.map((row) => (
          <li key={row.id}>
            <a class="cut" href={href("requests", [row.id])}>{row.method} {row.path}</a>
            <span class={row.status >= 500 || row.status === 0 ? "word failed" : "word"}>{row.status || "–"}</span>
            <span class="quiet"><Duration seconds={row.seconds} /></span>
          </li>
        ))}
      </ul>
    </section>
  );
}
