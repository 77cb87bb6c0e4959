import { messages } from "../../i18n";
import { now } from "../../now";
import { load } from "../../state/load";
import { LazyChart } from "./lazychart";
import { texts } from "./messages";
import type { Detail } from "./model";
import { past, rate } from "./past";
import { amount } from "./words";

const t = messages(texts);
const HEIGHT = 148;

const ago = (x: number): string => `${Math.round(x)} s`;

/** Where there is nothing but zero the axis has one label, and no second and third zero above it. */
const level = (y: number): string => (y > 0 && y < 0.01 ? "" : amount(y));

/** The last two minutes: what was asked, and who was there to answer. */
export function Live({ detail }: { detail: Detail }) {
  const { namespace } = detail.service;
  const told = detail.revisions.map((each) => load.value.get(`${namespace}/${each.name}`) ?? []);
  const seen = past(told, now.value / 1000 - 1);
  const end = seen.times.at(-1) ?? 0;
  const before = seen.times.map((each) => each - end);
  const perSecond = rate(seen);
  const ready = told.reduce((sum, samples) => sum + (samples.at(-1)?.ready ?? 0), 0);
  return (
    <section class="panel live" aria-label={t("lastMinutes")}>
      <div class="live-one">
        <header class="panel-head">
          <h2>{t("requestsChart")}</h2>
          <span class="figure">{amount(perSecond)}<small> {t("perSecond")}</small></span>
        </header>
        <LazyChart
          label={t("requestsChartTold", { n: amount(perSecond) })}
          height={HEIGHT}
          data={[before, seen.requests, seen.failed]}
          xText={ago}
          yText={level}
          series={[
            { label: t("answered"), color: "--accent", fill: true },
            { label: t("failedRequests"), color: "--red", width: 2 },
          ]}
        />
      </div>
      <div class="live-one">
        <header class="panel-head">
          <h2>{t("instancesChart")}</h2>
          <span class="figure">{ready}<small> {t("readyNow")}</small></span>
        </header>
        <LazyChart
          label={t("instancesChartTold", { n: ready })}
          height={HEIGHT}
          data={[before, seen.ready, seen.desired, seen.concurrency]}
          xText={ago}
          yText={level}
          series={[
            { label: t("readyLine"), color: "--green", fill: true, width: 2 },
            { label: t("wanted"), color: "--muted", dash: [4, 4] },
            { label: t("concurrency"), color: "--accent" },
          ]}
        />
      </div>
    </section>
  );
}
