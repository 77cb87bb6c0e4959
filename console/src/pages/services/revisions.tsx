import { useState } from "preact/hooks";

import { messages } from "../../i18n";
import { href } from "../../router";
import { instances } from "../../state/instances";
import { latest, load } from "../../state/load";
import { Ready } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Time } from "../../ui/time";
import { Dots } from "./dots";
import { texts } from "./messages";
import type { Detail, Revision } from "./model";
import { amount } from "./words";

const t = messages(texts);

/** All revisions; those that nobody asks and that have no instance are folded. */
export function Revisions({ detail }: { detail: Detail }) {
  const [all, show] = useState(false);
  const { namespace, latestCreated } = detail.service;
  const alive = (each: Revision): boolean =>
    each.percent > 0 || each.tags.length > 0 || each.name === latestCreated || instances.value.some((one) => one.namespace === namespace && one.revision === each.name);
  const folded = detail.revisions.filter((each) => !alive(each)).length;
  return (
    <section class="panel" aria-label={t("revisions")}>
      <header class="panel-head">
        <h2>{t("revisions")}</h2>
        <span class="quiet">{detail.revisions.length}</span>
      </header>
      <div class="scrolls" tabIndex={0} role="group" aria-label={t("revisions")}>
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">{t("revision")}</th>
              <th scope="col">{t("state")}</th>
              <th scope="col" class="number">{t("share")}</th>
              <th scope="col">{t("instances")}</th>
              <th scope="col" class="number">{t("concurrency")}</th>
              <th scope="col">{t("code")}</th>
              <th scope="col" class="number">{t("created")}</th>
            </tr>
          </thead>
          <tbody>{detail.revisions.filter((each) => all || alive(each)).map((each) => <Row key={each.name} revision={each} detail={detail} />)}</tbody>
        </table>
      </div>
      {folded > 0 && (
        <div class="fold">
          <Button kind="quiet" icon={all ? "moveUp" : "down"} onClick={() => show(!all)}>{all ? t("foldRevisions") : t("unfoldRevisions", { n: folded })}</Button>
        </div>
      )}
    </section>
  );
}

function Row({ revision, detail }: { revision: Revision; detail: Detail }) {
  const { namespace } = detail.service;
  const its = instances.value.filter((each) => each.namespace === namespace && each.revision === revision.name);
  const sample = latest(load.value, namespace, revision.name);
  return (
    <tr>
      <td>
        <a class="mono" href={href("manifests", ["serving.knative.dev", "v1", "revisions", namespace, revision.name])} title={t("asYaml")}>{revision.name}</a>
        {revision.tags.map((tag) => <span key={tag} class="tag">{tag}</span>)}
      </td>
      <td><Ready status={revision.ready} reason={revision.reason} message={revision.message} /></td>
      <td class="number">{revision.percent > 0 ? `${revision.percent} %` : <span class="quiet">–</span>}</td>
      <td><Dots instances={its} most={8} /></td>
      <td class="number">
        {sample && its.length > 0 ? amount(sample.concurrency) : <span class="quiet">–</span>}
        <span class="quiet"> / {amount(revision.scaling.target)}</span>
      </td>
      <td class="code-cell">
        <span class="cut mono" title={revision.digest || revision.image}>{revision.image}</span>
        <span class="cut quiet" title={revision.origin}>{revision.origin}</span>
      </td>
      <td class="number"><Time at={revision.created} /></td>
    </tr>
  );
}
