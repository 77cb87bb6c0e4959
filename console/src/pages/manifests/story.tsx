import { useEffect, useState } from "preact/hooks";

import { get } from "../../api";
import { messages } from "../../i18n";
import { Badge, type Tone } from "../../ui/badge";
import { Empty, Note, Trouble } from "../../ui/empty";
import { Time } from "../../ui/time";
import { texts } from "./messages";
import type { Change, Condition, Opening } from "./types";

const t = messages(texts);

/** The conditions as they are and as they were. */
export function Conditions({ opening }: { opening: Opening }) {
  if (opening.conditions.length === 0 && opening.history.length === 0) return <Empty icon="info" title={t("noConditions")} />;
  return (
    <div class="stack manifest-scrolls" tabIndex={0}>
      <h3>{t("conditionsNow")}</h3>
      <ul class="story">{opening.conditions.map((condition) => <Said key={condition.type} condition={condition} at={condition.lastTransitionTime} />)}</ul>
      <h3>{t("conditionsBefore")}</h3>
      {opening.history.length === 0 ? <p class="quiet">{t("noHistory")}</p> : <ol class="story">{opening.history.map((change, index) => <Said key={opening.history.length - index} condition={change} at={change.at} />)}</ol>}
    </div>
  );
}

function Said({ condition, at }: { condition: Condition | Change; at: string | undefined }) {
  const tone: Tone = condition.status === "True" ? "ready" : condition.status === "False" ? "failed" : "starting";
  return (
    <li>
      <Badge tone={tone}>{condition.status}</Badge>
      <div>
        <p><strong>{condition.type}</strong>{condition.reason ? <span class="quiet"> · {condition.reason}</span> : null}</p>
        {condition.message && <p class="quiet">{condition.message}</p>}
      </div>
      <span class="quiet when">{at && <Time at={at} />}</span>
    </li>
  );
}

interface KubernetesEvent {
  readonly metadata: { readonly name: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string;
  readonly firstTimestamp?: string;
}

/** Kubernetes Events of the object, the newest first. */
export function Happenings({ kind, namespace, name, version }: { kind: string; namespace: string; name: string; version: number }) {
  const [found, set] = useState<readonly KubernetesEvent[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = (): void => {
    const fields = `involvedObject.kind=${kind},involvedObject.name=${name}`;
    const path = namespace ? `/api/v1/namespaces/${encodeURIComponent(namespace)}/events` : "/api/v1/events";
    get<{ items: KubernetesEvent[] }>(`${path}?fieldSelector=${encodeURIComponent(fields)}`).then(
      ({ items }) => {
        setError(null);
        set([...items].sort((a, b) => (b.lastTimestamp ?? "").localeCompare(a.lastTimestamp ?? "")));
      },
      (failed: unknown) => setError(failed),
    );
  };
  useEffect(load, [kind, namespace, name, version]);
  if (error) return <Trouble error={error} retry={load} />;
  if (found?.length === 0) return <Empty icon="clock" title={t("noEvents")} />;
  return (
    <ol class="story manifest-scrolls" tabIndex={0} aria-live="polite">
      {found?.map((event) => (
        <li key={event.metadata.name}>
          <Badge tone={event.type === "Warning" ? "failed" : "accent"}>{event.type ?? ""}</Badge>
          <div>
            <p><strong>{event.reason}</strong>{event.count && event.count > 1 ? <span class="quiet"> · {t("times", { n: event.count })}</span> : null}</p>
            <p class="quiet">{event.message}</p>
          </div>
          <span class="quiet when">{event.lastTimestamp && <Time at={event.lastTimestamp} />}</span>
        </li>
      ))}
    </ol>
  );
}

/** Which file declares it, and what is not as the file says. */
export function FromFile({ opening }: { opening: Opening }) {
  const { declared } = opening;
  if (!declared) return <Empty icon="manifests" title={t("undeclared")} />;
  return (
    <div class="stack manifest-scrolls" tabIndex={0}>
      <p>{t("declaredAt", { file: declared.file, line: declared.line })} {t("fileWins")}</p>
      {declared.differences === null ? (
        <Note>{t("unknownFile")}</Note>
      ) : declared.differences.length === 0 ? (
        <Note tone="good">{t("same")}</Note>
      ) : (
        <>
          <Note tone="warning">{t("differs", { n: declared.differences.length })}</Note>
          <table class="differences">
            <thead><tr><th scope="col">{t("path")}</th><th scope="col">{t("inFile")}</th><th scope="col">{t("now")}</th></tr></thead>
            <tbody>
              {declared.differences.map((difference) => (
                <tr key={difference.path}>
                  <th scope="row" class="mono">{difference.path}</th>
                  <td class="mono">{spelled(difference.declared)}</td>
                  <td class="mono">{spelled(difference.now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </div>
  );
}

function spelled(value: unknown): string {
  return value === null || value === undefined ? t("absent") : typeof value === "string" ? value : JSON.stringify(value);
}
