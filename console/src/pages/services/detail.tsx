import { useEffect, useState } from "preact/hooks";

import { post } from "../../api";
import { messages } from "../../i18n";
import { useKeys } from "../../keys";
import { href } from "../../router";
import { useFollowing } from "../../state/follow";
import { followInstances, instances } from "../../state/instances";
import { followLoad } from "../../state/load";
import { Badge } from "../../ui/badge";
import { Button, ButtonLink } from "../../ui/button";
import { Copy } from "../../ui/copy";
import { Trouble } from "../../ui/empty";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";
import { ColdStarts } from "./coldstarts";
import { Conditions, Unready } from "./conditions";
import { Dots } from "./dots";
import { InstanceList } from "./instancelist";
import { Invoke } from "./invoke";
import { Live } from "./live";
import { texts } from "./messages";
import { pathOf, useDetail, type Detail } from "./model";
import { Revisions } from "./revisions";
import { ScalingPanel } from "./scaling";
import { Traffic } from "./traffic";
import { counted, standing, type Counts } from "./words";

const t = messages(texts);

const STEP = 700;

/** One service, with everything that is its. */
export function ServicePage({ namespace, name }: { namespace: string; name: string }) {
  useFollowing(followInstances, followLoad);
  const { value, error, again } = useDetail(namespace, name);
  const [invoking, invoke] = useState(false);
  // How far a build is changes no object; it is looked at again while somebody sees it go on.
  const preparing = value?.service.ready === "Unknown" && (value.revisions[0]?.steps.length ?? 0) > 0;
  useEffect(() => {
    if (!preparing) return;
    const timer = window.setTimeout(again, STEP);
    return () => clearTimeout(timer);
  }, [preparing, value]);
  useKeys([{ keys: "i", label: () => t("keyInvoke"), run: () => invoke(true) }]);
  return (
    <div class="service-page">
      <nav class="crumbs" aria-label={t("whereAmI")}>
        <a href={href("services")}><Icon name="left" size={14} /> {t("title")}</a>
      </nav>
      {error !== null && <Trouble error={error} retry={again} />}
      {value && (
        <>
          <Head detail={value} onInvoke={() => invoke(true)} again={again} />
          <Unready detail={value} />
          <Traffic detail={value} again={again} />
          <div class="columns">
            <Live detail={value} />
            <ScalingPanel detail={value} />
          </div>
          <Revisions detail={value} />
          <InstanceList detail={value} />
          <ColdStarts namespace={namespace} name={name} />
          <Conditions detail={value} />
        </>
      )}
      {invoking && value && <Invoke detail={value} onClose={() => invoke(false)} />}
    </div>
  );
}

function Head({ detail, onInvoke, again }: { detail: Detail; onInvoke: () => void; again: () => void }) {
  const { kind, namespace, name, url, address } = detail.service;
  const revisions = new Set(detail.revisions.map((each) => each.name));
  const its = instances.value.filter((each) => each.namespace === namespace && revisions.has(each.revision));
  const { tone, key, values } = standing(detail.service, counted(its));
  const service = `${namespace}/${name}`;
  const shown = url || address;
  return (
    <header class="service-head">
      <div class="service-title">
        <h1 class="cut" title={`${namespace}/${name}`}>{namespace !== "default" && <span class="quiet">{namespace}/</span>}{name}</h1>
        <Badge tone={tone}>{t(key, values)}</Badge>
        {its.length > 0 && <Dots instances={its} />}
      </div>
      <div class="service-actions">
        <Button kind="primary" icon="play" onClick={onInvoke}>{t("invoke")}</Button>
        {kind === "Service" && <Actions detail={detail} counts={counted(its)} again={again} />}
        <ButtonLink kind="quiet" icon="requests" href={href("requests", [], { service })}>{t("requestsLink")}</ButtonLink>
        <ButtonLink kind="quiet" icon="logs" href={href("logs", [], { service })}>{t("logs")}</ButtonLink>
        <ButtonLink kind="quiet" icon="manifests" href={href("manifests", ["serving.knative.dev", "v1", kind === "Service" ? "services" : "routes", namespace, name])}>YAML</ButtonLink>
      </div>
      {shown && (
        <div class="service-url">
          {url ? <a class="mono cut" href={url} target="_blank" rel="noreferrer noopener">{url}</a> : <span class="mono cut" title={t("insideOnly")}>{address}</span>}
          <Copy text={shown} label={t("copyUrl")} />
          {url && <a class="icon-button" href={url} target="_blank" rel="noreferrer noopener" aria-label={t("openUrl")} title={t("openUrl")}><Icon name="external" /></a>}
        </div>
      )}
    </header>
  );
}

/** What is done to its instances. */
function Actions({ detail, counts, again }: { detail: Detail; counts: Counts; again: () => void }) {
  const { namespace, name } = detail.service;
  const [busy, setBusy] = useState<"" | "rest" | "restart">("");
  const running = counts.ready + counts.starting + counts.failed;
  const act = async (what: "rest" | "restart"): Promise<void> => {
    setBusy(what);
    try {
      const said = await post<{ message: string } | undefined>(`${pathOf(namespace, name)}/${what}`);
      toast(said?.message ?? t("rested", { name }), "good");
    } catch (failed) {
      toast(failed instanceof Error ? failed.message : String(failed), "warning");
    }
    setBusy("");
    again();
  };
  return (
    <>
      <Button icon="snow" busy={busy === "rest"} disabled={running === 0 || busy !== ""} title={running === 0 ? t("isAtZero") : t("restWhy")} onClick={() => void act("rest")}>{t("rest")}</Button>
      <Button icon="refresh" busy={busy === "restart"} disabled={running + counts.frozen === 0 || busy !== ""} title={running + counts.frozen === 0 ? t("isAtZero") : t("restartWhy")} onClick={() => void act("restart")}>{t("restart")}</Button>
    </>
  );
}
