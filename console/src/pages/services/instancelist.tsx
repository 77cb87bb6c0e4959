import { messages } from "../../i18n";
import { href } from "../../router";
import { instances, toneOf, type Instance } from "../../state/instances";
import { Badge } from "../../ui/badge";
import { Empty } from "../../ui/empty";
import { way } from "../../ui/stagebar";
import { Time } from "../../ui/time";
import { texts } from "./messages";
import type { Detail, Pod } from "./model";

const t = messages(texts);

/** The instances there are, as the feed tells them; what their Pods add is how they ended last. */
export function InstanceList({ detail }: { detail: Detail }) {
  const { namespace } = detail.service;
  const revisions = new Set(detail.revisions.map((each) => each.name));
  const its = instances.value.filter((each) => each.namespace === namespace && revisions.has(each.revision));
  return (
    <section class="panel" aria-label={t("instances")}>
      <header class="panel-head">
        <h2>{t("instances")}</h2>
        <span class="quiet">{its.length}</span>
      </header>
      {its.length === 0 ? (
        <Empty icon="snow" title={t("noInstances")}>{t(detail.service.ready === "False" ? "noInstancesFailed" : "noInstancesWhy")}</Empty>
      ) : (
        <div class="scrolls" tabIndex={0} role="group" aria-label={t("instances")}>
          <table class="plain-table">
            <thead>
              <tr>
                <th scope="col">{t("instance")}</th>
                <th scope="col">{t("state")}</th>
                <th scope="col">{t("since")}</th>
                <th scope="col">{t("startedHow")}</th>
                <th scope="col" class="number">{t("restarts")}</th>
                <th scope="col">{t("lastExit")}</th>
                <th scope="col"><span class="unseen">{t("logs")}</span></th>
              </tr>
            </thead>
            <tbody>{its.map((each) => <Row key={each.instance} instance={each} pod={detail.instances.find((pod) => pod.name === each.instance)} detail={detail} />)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ instance, pod, detail }: { instance: Instance; pod: Pod | undefined; detail: Detail }) {
  const { namespace, name } = detail.service;
  const failed = instance.reason !== "" && toneOf(instance.state) === "failed";
  return (
    <tr>
      <td>
        <span class="mono" title={instance.instance}>{ending(instance)}</span>
        {detail.revisions.length > 1 && <span class="quiet mono"> {instance.revision}</span>}
      </td>
      <td><Badge tone={toneOf(instance.state)} {...(instance.why ? { title: instance.why } : {})}>{failed ? `${instance.state}: ${instance.reason}` : instance.state}</Badge></td>
      <td><Time at={instance.at} /></td>
      <td>{way(instance.how) || <span class="quiet">–</span>}</td>
      <td class="number">{Math.max(pod?.restarts ?? 0, instance.restarts)}</td>
      <td class="exit-cell"><LastExit pod={pod} /></td>
      <td class="number"><a href={href("logs", [], { service: `${namespace}/${name}`, instance: instance.instance })}>{t("logs")}</a></td>
    </tr>
  );
}

function LastExit({ pod }: { pod: Pod | undefined }) {
  const exit = pod?.lastExit;
  if (!exit) return <span class="quiet">–</span>;
  return (
    <span class="cut" title={exit.message}>
      <b>{exit.reason || t("exitCode", { code: exit.exitCode })}</b>
      {exit.reason && <span class="quiet"> ({exit.exitCode})</span>} <Time at={exit.at} />
      {exit.message && <span class="quiet"> {exit.message}</span>}
    </span>
  );
}

/** What tells it from the others of its revision. */
const ending = ({ instance, revision }: Instance): string => (instance.startsWith(`${revision}-deployment-`) ? instance.slice(instance.lastIndexOf("-") + 1) : instance);
