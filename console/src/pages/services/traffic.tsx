import { useState } from "preact/hooks";

import { ApiError, patch } from "../../api";
import { messages } from "../../i18n";
import { load } from "../../state/load";
import { Badge } from "../../ui/badge";
import { Button, IconButton } from "../../ui/button";
import { Copy } from "../../ui/copy";
import { Note, Trouble } from "../../ui/empty";
import { Select } from "../../ui/field";
import { toast } from "../../ui/toast";
import type { Detail } from "./model";
import { texts } from "./messages";
import { added, even, given, inShort, removed, same, targetsOf, wantedOf, type Target, type WantedTarget } from "./split";
import { told, TrafficBar } from "./trafficbar";

const t = messages(texts);

interface Pending {
  readonly targets: readonly Target[];
  /** What the service was when the change began. */
  readonly generation: number;
}

/** What was written here last, and can be taken back until somebody changes the service again. */
interface Done {
  readonly before: readonly WantedTarget[];
  readonly generation: number;
}

/** Who gets which share of a service's requests, and how that is changed. */
export function Traffic({ detail, again }: { detail: Detail; again: () => void }) {
  const { service, wanted } = detail;
  const [pending, setPending] = useState<Pending | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const now = targetsOf(wanted, service.latestReady || service.latestCreated);
  const targets = pending?.targets ?? now;
  const changed = pending !== null && !same(now, pending.targets);
  const before = done && done.generation === detail.generation ? done.before : null;
  const overtaken = pending !== null && pending.generation !== detail.generation;

  const change = (next: readonly Target[]): void => {
    setError(null);
    setPending({ targets: next, generation: pending?.generation ?? detail.generation });
  };
  const cancel = (): void => {
    setPending(null);
    setError(null);
  };
  const write = async (traffic: readonly WantedTarget[], before: readonly WantedTarget[] | null): Promise<void> => {
    setBusy(true);
    try {
      const generation = await written(detail, traffic);
      setPending(null);
      setError(null);
      setDone(before && { before, generation });
      toast(t("applied", { split: inShort(targetsOf(traffic, service.latestReady)) }), "good");
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
    again();
  };
  const apply = (): void => {
    if (changed && !busy) void write(wantedOf(targets), wanted);
  };
  const others = detail.revisions.filter((each) => !targets.some((target) => target.revision === each.name));

  return (
    <section class="panel traffic" aria-label={t("traffic")}>
      <header class="panel-head">
        <h2>{t("traffic")}</h2>
        {changed ? <Badge tone="starting">{t("notApplied")}</Badge> : <span class="quiet narrow-hide">{t(targets.length > 1 ? "trafficHint" : others.length > 0 ? "trafficMore" : "trafficOne")}</span>}
        <div class="row spread">
          {!changed && before && <Button kind="quiet" icon="left" disabled={busy} onClick={() => void write(before, null)}>{t("undo", { split: inShort(targetsOf(before, service.latestReady)) })}</Button>}
          {targets.length > 1 && <Button kind="quiet" disabled={busy} onClick={() => change(even(targets))}>{t("even")}</Button>}
          {pending !== null && <Button disabled={busy} onClick={cancel}>{t("cancel")}</Button>}
          {changed && <Button kind="primary" icon="check" busy={busy} onClick={apply}>{t("apply")}</Button>}
        </div>
      </header>
      <div class="panel-body stack">
        <TrafficBar service={service.name} targets={targets} disabled={busy} onApply={apply} onCancel={cancel} onChange={change} />
        <span class="unseen" aria-live="polite">{changed ? t("pendingTold", { split: told(targets) }) : ""}</span>
        {overtaken && <Note tone="warning">{t("overtaken")}</Note>}
        {error !== null && <Trouble error={error} />}
        <ul class="targets">
          {targets.map((each, index) => (
            <Entry
              key={each.key}
              target={each}
              index={index}
              detail={detail}
              disabled={busy}
              {...(targets.length > 1 ? { onRemove: () => change(removed(targets, index)) } : {})}
              {...(targets.length > 1 ? { onPercent: (percent: number) => change(given(targets, index, percent)) } : {})}
            />
          ))}
        </ul>
        {others.length > 0 && (
          <div class="add-revision">
            <Select
              label={t("addRevision")}
              bare
              value=""
              disabled={busy}
              options={[{ value: "", label: t("addRevision") }, ...others.map((each) => ({ value: each.name, label: each.ready === "True" ? each.name : `${each.name} (${each.reason || t("notReady")})` }))]}
              onChange={(name) => {
                if (name) change(added(targets, name));
              }}
            />
          </div>
        )}
        <Actual detail={detail} wanted={now} />
      </div>
    </section>
  );
}

interface EntryProps {
  target: Target;
  index: number;
  detail: Detail;
  disabled: boolean;
  onPercent?: (percent: number) => void;
  onRemove?: () => void;
}

function Entry({ target, index, detail, disabled, onPercent, onRemove }: EntryProps) {
  const { service } = detail;
  const share = service.traffic.find((each) => each.tag === target.tag && each.tag !== "");
  const sample = load.value.get(`${service.namespace}/${target.revision}`)?.at(-1);
  const revision = detail.revisions.find((each) => each.name === target.revision);
  return (
    <li class={`s${index % 6}`}>
      <span class="swatch" aria-hidden="true" />
      <span class="target-name mono cut" title={target.revision}>{target.revision || t("latest")}</span>
      {target.latest && <Badge tone="accent" title={t("latestWhy")}>{t("latest")}</Badge>}
      {revision && revision.ready !== "True" && <Badge tone={revision.ready === "False" ? "failed" : "starting"} title={revision.message}>{revision.reason || t("notReady")}</Badge>}
      {target.tag && <span class="tag">{target.tag}</span>}
      {share?.url && (
        <span class="row tag-url">
          <a class="mono cut" href={share.url} target="_blank" rel="noreferrer noopener">{share.url}</a>
          <Copy text={share.url} label={t("copyUrl")} />
        </span>
      )}
      <span class="spread row target-end">
        {sample && sample.ready > 0 && <span class="quiet narrow-hide">{t("nReady", { n: sample.ready })}</span>}
        <label class="percent">
          <span class="unseen">{t("percentOf", { revision: target.revision || t("latest") })}</span>
          <input
            class="input"
            type="number"
            min={0}
            max={100}
            step={1}
            value={target.percent}
            disabled={disabled || !onPercent}
            onChange={(event) => {
              const typed = event.currentTarget.valueAsNumber;
              if (Number.isFinite(typed)) onPercent?.(typed);
            }}
          />
          <span aria-hidden="true">%</span>
        </label>
        {onRemove ? <IconButton icon="close" label={t("removeTarget", { revision: target.revision })} disabled={disabled} onClick={onRemove} /> : null}
      </span>
    </li>
  );
}

/** Where requests go now, while that is not yet what is wanted. */
function Actual({ detail, wanted }: { detail: Detail; wanted: readonly Target[] }) {
  const shares = detail.service.traffic.filter((each) => each.percent > 0);
  const settled = detail.observedGeneration === detail.generation && shares.every((share) => wanted.some((each) => each.revision === share.revision && each.percent === share.percent));
  if (settled || shares.length === 0) return null;
  return <Note>{t("stillNow", { split: shares.map((each) => t("gets", { revision: each.revision, percent: each.percent })).join(", ") })}</Note>;
}

/** Write the traffic of what the page has read; the generation that it is of then. */
async function written(detail: Detail, traffic: readonly WantedTarget[]): Promise<number> {
  const { kind, namespace, name } = detail.service;
  const plural = kind === "Service" ? "services" : "routes";
  const path = `/apis/serving.knative.dev/v1/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
  try {
    const { metadata } = await patch<{ metadata: { generation: number } }>(path, { metadata: { resourceVersion: detail.resourceVersion }, spec: { traffic } });
    return metadata.generation;
  } catch (refused) {
    throw refused instanceof ApiError && refused.status === 409 ? new ApiError(409, refused.reason, `${t("conflict")} ${refused.message}`) : refused;
  }
}
