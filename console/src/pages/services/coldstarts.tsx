import { useEffect, useState } from "preact/hooks";

import { get } from "../../api";
import { duration } from "../../format";
import { messages } from "../../i18n";
import { href } from "../../router";
import { instances } from "../../state/instances";
import { Trouble } from "../../ui/empty";
import { Bar, inWords, StageLegend, way } from "../../ui/stagebar";
import { stagesOf } from "../../ui/stages";
import { Time } from "../../ui/time";
import type { Latency, Row } from "../requests/model";
import { texts } from "./messages";

const t = messages(texts);
const KEPT = 20;
/** Requests are told of when they have ended, a little after their instance was ready. */
const PAUSE = 400;

/** The last requests that found no instance, and where their time went. */
export function ColdStarts({ namespace, name }: { namespace: string; name: string }) {
  const [found, set] = useState<{ requests: readonly Row[]; latency: Latency | null; error: unknown }>({ requests: [], latency: null, error: null });
  const ready = instances.value.filter((each) => each.namespace === namespace && each.service === name && (each.state === "ready" || each.state === "thawed")).map((each) => `${each.instance} ${each.at}`).join();
  useEffect(() => {
    const aborting = new AbortController();
    const service = encodeURIComponent(`${namespace}/${name}`);
    const read = async (): Promise<void> => {
      try {
        const [{ requests }, latency] = await Promise.all([
          get<{ requests: readonly Row[] }>(`/knlite/requests?service=${service}&cold=true&limit=${KEPT}`, aborting.signal),
          get<Latency>(`/knlite/latency?service=${service}`, aborting.signal),
        ]);
        set({ requests, latency, error: null });
      } catch (error) {
        if (!aborting.signal.aborted) set((before) => ({ ...before, error }));
      }
    };
    const timer = window.setTimeout(() => void read(), PAUSE);
    return () => {
      clearTimeout(timer);
      aborting.abort();
    };
  }, [namespace, name, ready]);
  const { requests, latency, error } = found;
  const newest = [...requests].sort((one, other) => other.number - one.number);
  const longest = newest.reduce((most, each) => Math.max(most, each.seconds), 0.001);
  return (
    <section class="panel" aria-label={t("coldStarts")}>
      <header class="panel-head">
        <h2>{t("coldStarts")}</h2>
        {latency && (
          <span class="quiet">
            {latency.cold.count > 0 && t("coldTold", { n: latency.cold.count, p50: duration(latency.cold.p50), p95: duration(latency.cold.p95) })}
            {latency.cold.count > 0 && latency.warm.count > 0 && " · "}
            {latency.warm.count > 0 && t("warmTold", { p50: duration(latency.warm.p50), p95: duration(latency.warm.p95) })}
          </span>
        )}
        <a class="spread" href={href("requests", [], { service: `${namespace}/${name}`, cold: "true" })}>{t("allRequests")}</a>
      </header>
      <div class="panel-body">
        {error !== null && <Trouble error={error} />}
        {newest.length === 0 && error === null && <p class="quiet">{t("noColdStarts")}</p>}
        {newest.length > 0 && (
          <>
            <StageLegend names={stagesOf(newest)} />
            <ol class="cold">{newest.map((each) => <Line key={each.number} request={each} longest={longest} />)}</ol>
          </>
        )}
      </div>
    </section>
  );
}

function Line({ request, longest }: { request: Row; longest: number }) {
  return (
    <li>
      <a href={href("requests", [request.id])}>
        <span class="quiet cold-when"><Time at={request.at} show="clock" /></span>
        <span class="cut mono cold-what">{request.method} {request.path}</span>
        <span class="cold-bar" title={inWords(request.stages)}><Bar stages={request.stages} total={request.seconds} width={(100 * request.seconds) / longest} /></span>
        <span class="number cold-time">{duration(request.seconds)}</span>
        <span class="quiet cold-how">{way(request.how)}</span>
        <span class="unseen"> {inWords(request.stages)}</span>
      </a>
    </li>
  );
}
