import { messages } from "../../i18n";
import { Badge } from "../../ui/badge";
import { Time } from "../../ui/time";
import { texts } from "./messages";
import type { Condition, Detail, Step } from "./model";
import { advice, unwrapped } from "./words";

const t = messages(texts);

/** Why it does not serve, on top of everything: in our words what helps, in the server's what is. */
export function Unready({ detail }: { detail: Detail }) {
  const { ready, reason, message, name } = detail.service;
  if (ready === "True" || ready === "") return null;
  const newest = detail.revisions[0];
  const told = message || newest?.message || "";
  const failed = ready === "False";
  // What it served before its last change it still serves.
  const serves = failed && detail.service.traffic.some((each) => each.percent > 0);
  return (
    <div class={`unready ${failed ? "failed" : "starting"}`} role={failed ? "alert" : "status"}>
      <Badge tone={failed ? "failed" : "starting"} bare><b>{t(serves ? "changeFailed" : failed ? "cannotServe" : "getsReady", { name })}</b></Badge>
      <p>{t(`advice_${advice(reason, told, ready)}`, { name })}</p>
      {told && (
        <pre class="said" tabIndex={0}>
          <b>{reason}</b> {unwrapped(told)}
        </pre>
      )}
      {!failed && newest && <Steps steps={newest.steps} />}
    </div>
  );
}

/** What goes on before the first start, with how far it is where that is known. */
function Steps({ steps }: { steps: readonly Step[] }) {
  if (steps.length === 0) return null;
  return (
    <ol class="steps" aria-label={t("preparation")} aria-live="polite">
      {steps.map((step, index) => (
        <li key={step.at + step.text}>
          <span class="cut" title={step.text}>{step.text}</span>
          {step.share !== null ? (
            <progress value={step.share} max={1} aria-label={step.text}>{Math.round(100 * step.share)} %</progress>
          ) : index === steps.length - 1 ? (
            <span class="spinner" aria-hidden="true" />
          ) : null}
          {step.share !== null && <span class="quiet">{Math.round(100 * step.share)} %</span>}
        </li>
      ))}
    </ol>
  );
}

/** All conditions, in Knative's words. */
export function Conditions({ detail }: { detail: Detail }) {
  const newest = detail.revisions[0];
  return (
    <section class="panel" aria-label={t("conditions")}>
      <header class="panel-head"><h2>{t("conditions")}</h2></header>
      <div class="panel-body stack">
        <Listed title={`${detail.service.kind} ${detail.service.name}`} conditions={detail.conditions} />
        {newest && <Listed title={`Revision ${newest.name}`} conditions={newest.conditions} />}
        {detail.domains.length > 0 && (
          <ul class="conditions" aria-label={t("domains")}>
            {detail.domains.map((each) => (
              <li key={each.name}>
                <Badge tone={each.ready === "True" ? "ready" : each.ready === "False" ? "failed" : "starting"} bare>{each.url ? <a href={each.url}>{each.name}</a> : each.name}</Badge>
                {each.ready !== "True" && <span class="cut quiet" title={each.message}>{each.reason} {each.message}</span>}
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function Listed({ title, conditions }: { title: string; conditions: readonly Condition[] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul class="conditions">
        {conditions.map((each) => (
          <li key={each.type}>
            <Badge tone={toneOf(each)} bare>{each.type}</Badge>
            <span class="quiet">{each.status}{each.reason ? ` · ${each.reason}` : ""}</span>
            <span class="cut quiet" title={each.message}>{each.message ? unwrapped(each.message) : ""}</span>
            <span class="quiet spread">{each.lastTransitionTime && <Time at={each.lastTransitionTime} />}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A condition of severity Info takes no part in Ready: that it is not so is no failure. */
function toneOf(condition: Condition): "ready" | "failed" | "starting" | "gone" {
  if (condition.status === "True") return "ready";
  if (condition.severity === "Info") return "gone";
  return condition.status === "False" ? "failed" : "starting";
}
