import { useState } from "preact/hooks";

import { messages } from "../../i18n";
import { latest, load } from "../../state/load";
import { Badge } from "../../ui/badge";
import { Select } from "../../ui/field";
import { Time } from "../../ui/time";
import { texts } from "./messages";
import type { Detail, Decision, Revision } from "./model";
import { amount } from "./words";

const t = messages(texts);
const DECISIONS = 6;

/** Why there are as many instances as there are: what is measured, what is wanted, what was decided. */
export function ScalingPanel({ detail }: { detail: Detail }) {
  const { namespace } = detail.service;
  const asked = detail.revisions.filter((each) => each.percent > 0 || each.tags.length > 0 || each.actual > 0);
  const choice = asked.length > 0 ? asked : detail.revisions.slice(0, 1);
  const [wanted, choose] = useState("");
  const revision = choice.find((each) => each.name === wanted) ?? choice[0];
  if (!revision) return null;
  const sample = latest(load.value, namespace, revision.name);
  const { scaling, path } = revision;
  return (
    <section class="panel scaling" aria-label={t("scaling")}>
      <header class="panel-head">
        <h2>{t("scaling")}</h2>
        {sample?.panic && <Badge tone="starting" title={t("panicWhy")}>{t("panic")}</Badge>}
        {choice.length > 1 && (
          <div class="spread">
            <Select label={t("revision")} bare value={revision.name} options={choice.map((each) => ({ value: each.name, label: each.name }))} onChange={choose} />
          </div>
        )}
      </header>
      <div class="panel-body stack">
        <dl class="facts">
          <div><dt>{t("instances")}</dt><dd>{sample?.ready ?? revision.actual}<span class="quiet"> {t("ofWanted", { n: sample?.desired ?? revision.desired })}</span></dd></div>
          <div><dt>{t("inFlight")}</dt><dd>{amount(sample?.active ?? 0)}{sample && sample.queued > 0 ? <span class="amber"> {t("queuedNow", { n: sample.queued })}</span> : null}</dd></div>
          <div><dt>{t("target")}</dt><dd>{amount(scaling.target)}<span class="quiet"> {scaling.metric === "rps" ? t("perSecond") : t("inFlightEach")}</span></dd></div>
          <div><dt>{t("bounds")}</dt><dd>{scaling.minScale}<span class="quiet"> {t("to")} </span>{scaling.maxScale || "∞"}</dd></div>
          <div><dt>{t("stableWindow", { window: `${amount(scaling.stableWindow)} s` })}</dt><dd>{amount(sample?.stable ?? 0)}</dd></div>
          <div><dt>{t("panicWindow", { window: `${amount(scaling.panicWindow)} s` })}</dt><dd>{amount(sample?.panicWindow ?? 0)}</dd></div>
          <div><dt>{t("hardLimit")}</dt><dd>{scaling.containerConcurrency || <span class="quiet">{t("noLimit")}</span>}</dd></div>
          <div><dt>{t("burst")}</dt><dd>{revision.excess === null ? "–" : amount(revision.excess)}<span class="quiet"{...(path ? { title: path.why } : {})}> {path ? t(path.mode === "Proxy" ? "proxied" : "served") : ""}</span></dd></div>
        </dl>
        <Decisions revision={revision} />
      </div>
    </section>
  );
}

/** The last of them, the newest first. */
function Decisions({ revision }: { revision: Revision }) {
  const known = [...revision.decisions].reverse().slice(0, DECISIONS);
  return (
    <div class="decisions">
      <h3>{t("decisions")}</h3>
      {known.length === 0 && <p class="quiet">{t("noDecisions")}</p>}
      <ol aria-live="polite" aria-relevant="additions">{known.map((each) => <Line key={each.at} decision={each} />)}</ol>
    </div>
  );
}

function Line({ decision }: { decision: Decision }) {
  return (
    <li>
      <span class={`step ${decision.desired > decision.was ? "up" : "down"}`}>{decision.was} → {decision.desired}</span>
      <span class="decided">{decision.why}{decision.panic && <span class="panic"> {t("panic")}</span>}</span>
      <span class="quiet"><Time at={decision.at} /></span>
    </li>
  );
}
