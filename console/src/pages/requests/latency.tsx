/** How long requests and cold starts take, service by service. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { get } from "../../api";
import { count, duration, short } from "../../format";
import { language } from "../../i18n";
import { subscribe } from "../../live";
import { ask, route } from "../../router";
import { covers } from "../../selection";
import Chart from "../../ui/chart";
import { Empty, Trouble } from "../../ui/empty";
import { Select } from "../../ui/field";
import { Named } from "../../ui/named";
import { stageName, StageLegend } from "../../ui/stagebar";
import { stageClass, stagesOf } from "../../ui/stages";
import { chartOf } from "./distribution";
import type { ColdSpread, Latency as Told, Spread } from "./model";
import { t } from "./words";

/** Milliseconds from one look to the next, while requests come; while none come there is none. */
const PAUSE = 2000;

function useLatency(): { services: readonly Told[] | null; error: unknown } {
  const [services, setServices] = useState<readonly Told[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const timer = useRef(0);
  useEffect(() => {
    const leave = new AbortController();
    const look = (): void => {
      timer.current = 0;
      get<{ services: readonly Told[] }>("/knlite/latency", leave.signal).then(
        (answer) => {
          setServices(answer.services);
          setError(null);
        },
        (reason: unknown) => {
          if (!leave.signal.aborted) setError(reason);
        },
      );
    };
    look();
    const unsubscribe = subscribe("requests", () => {
      timer.current ||= window.setTimeout(look, PAUSE);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer.current);
      leave.abort();
    };
  }, []);
  return { services, error };
}

export default function Latency() {
  const { services: all, error } = useLatency();
  const services = all?.filter((each) => covers("Service", each.namespace, each.service));
  if (error !== null && !services) return <Trouble error={error} />;
  if (!services) return <p class="quiet">{t("loading")}</p>;
  if (services.length === 0) return <Empty icon="clock" title={t("latencyNone")}><p>{t("latencyNoneHow")}</p></Empty>;
  const cold = services.filter((each) => each.cold.count > 0 || each.thawed.count > 0);
  return (
    <div class="latency">
      <section class="panel padded stack">
        <h2>{t("coldTitle")}</h2>
        {cold.length === 0 ? <p class="quiet">{t("coldNone")}</p> : <ColdStarts services={cold} />}
      </section>
      <div class="stack">
        <section class="panel padded stack">
          <h2>{t("warmTitle")}</h2>
          <Percentiles label={t("warmTitle")} rows={services.map((each) => ({ of: each, spread: each.warm }))} />
        </section>
        <Distribution services={services} />
      </div>
    </div>
  );
}

function ColdStarts({ services }: { services: readonly Told[] }) {
  const rows = services.flatMap((of) => [{ of, spread: of.cold, kind: "cold" }, { of, spread: of.thawed, kind: "thaw" }]).filter((row) => row.spread.count > 0);
  const longest = Math.max(...rows.map(({ spread }) => sum(spread)));
  return (
    <>
      <StageLegend names={stagesOf(rows.map(({ spread }) => spread))} />
      <ul class="cold-bars">
        {rows.map(({ of, spread, kind }) => (
          <li key={`${nameOf(of)} ${kind}`}>
            <div class="row">
              <Name of={of} />
              {kind === "thaw" && <span class="quiet">{t("thaw")}</span>}
              <span class="spread quiet">{t("coldHow", { n: spread.count })} · <strong>{duration(sum(spread))}</strong></span>
            </div>
            <Stacked spread={spread} longest={longest} />
          </li>
        ))}
      </ul>
      <h3>{t("coldPercentiles")}</h3>
      <Percentiles label={t("coldPercentiles")} rows={rows.map(({ of, spread, kind }) => ({ of, spread, note: kind === "thaw" ? t("thaw") : "" }))} />
    </>
  );
}

/** The medians of the stages one after the other; in words for who cannot see them. */
function Stacked({ spread, longest }: { spread: ColdSpread; longest: number }) {
  let at = 0;
  return (
    <>
      <svg class="stage-bar tall" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {spread.stages.map((stage) => {
          const x = at;
          const width = longest > 0 ? (stage.seconds / longest) * 100 : 0;
          at += width;
          return <rect key={stage.name} class={stageClass(stage.name)} x={x} y="0" width={width} height="10" />;
        })}
      </svg>
      <p class="stage-words quiet">
        {spread.stages.filter((stage) => stage.seconds >= 0.00005).map((stage) => <span key={stage.name}>{stageName(stage.name)} {duration(stage.seconds)}</span>)}
      </p>
    </>
  );
}

function Percentiles({ label, rows }: { label: string; rows: readonly { of: Told; spread: Spread; note?: string }[] }) {
  const cell = (spread: Spread, seconds: number): ComponentChildren => (spread.count === 0 ? "–" : duration(seconds));
  return (
    <div class="percentiles-box" tabIndex={0} role="region" aria-label={label}>
      <table class="percentiles">
        <thead><tr><th scope="col">{t("service")}</th><th scope="col" class="number">{t("count")}</th>{["p50", "p90", "p95", "p99"].map((each) => <th key={each} scope="col" class="number">{each}</th>)}</tr></thead>
        <tbody>
          {rows.map(({ of, spread, note }) => (
            <tr key={`${nameOf(of)} ${note ?? ""}`}>
              <th scope="row"><Name of={of} />{note && <span class="quiet"> {note}</span>}</th>
              <td class="number" title={count(spread.count, language.value)}>{short(spread.count, language.value)}</td>
              <td class="number">{cell(spread, spread.p50)}</td>
              <td class="number">{cell(spread, spread.p90)}</td>
              <td class="number">{cell(spread, spread.p95)}</td>
              <td class="number">{cell(spread, spread.p99)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Counts at the ticks of an axis, which stand between whole numbers, too. */
const whole = (count: number): string => (Number.isInteger(count) ? short(count, language.value) : "");

function Distribution({ services }: { services: readonly Told[] }) {
  const wanted = route.value.query["of"];
  const shown = services.find((each) => nameOf(each) === wanted) ?? services.reduce((most, each) => (each.warm.count + each.cold.count > most.warm.count + most.cold.count ? each : most));
  const name = nameOf(shown);
  return (
    <section class="panel padded stack">
      <div class="row">
        <Select label={t("pick")} value={name} onChange={(of) => ask({ of })} options={services.map((each) => ({ value: nameOf(each), label: nameOf(each) }))} />
      </div>
      <div class="charts">
        {shown.warm.count > 0 && (
          <figure>
            <figcaption>{t("requestsCount", { n: shown.warm.count })}</figcaption>
            <Chart key={`warm ${name}`} log label={t("warmChart", { service: name })} data={chartOf(shown.warm.histogram)} series={[{ label: t("requests"), color: "--green", bars: true }]} xText={duration} yText={whole} />
          </figure>
        )}
        {shown.cold.count > 0 && (
          <figure>
            <figcaption>{t("startsCount", { n: shown.cold.count })}</figcaption>
            <Chart key={`cold ${name}`} label={t("coldChart", { service: name })} data={chartOf(shown.cold.histogram)} series={[{ label: t("starts"), color: "--blue", bars: true }]} xText={duration} yText={whole} />
          </figure>
        )}
      </div>
    </section>
  );
}

const Name = ({ of }: { of: Told }) => <Named namespace={of.namespace}>{of.service}</Named>;
const nameOf = (of: Told): string => `${of.namespace}/${of.service}`;
const sum = (spread: ColdSpread): number => spread.stages.reduce((total, stage) => total + stage.seconds, 0);
