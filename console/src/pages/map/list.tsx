/** The graph as a table, for who would rather read or listen. */
import { messages } from "../../i18n";
import { graph } from "../../state/graph";
import { Ready } from "../../ui/badge";
import { kindText, Sign } from "./kinds";
import { texts } from "./messages";
import { beat, byService, choose, chosen, flows, namespace, seconds } from "./model";
import { outline } from "./outline";
import { within } from "./folding";

const t = messages(texts);

export function List() {
  const sections = outline(within(graph.value, namespace.value));
  return (
    <div class="outline">
      {sections.map((section) => (
        <section key={section.namespace} class="panel" aria-label={section.namespace || t("external")}>
          <h2>{section.namespace || t("external")}</h2>
          <table>
            <thead>
              <tr><th scope="col">{t("object")}</th><th scope="col">{t("state")}</th><th scope="col">{t("leadsTo")}</th></tr>
            </thead>
            <tbody>
              {section.entries.map(({ node, out }) => (
                <tr key={node.id} aria-selected={chosen.value === node.id}>
                  <th scope="row">
                    <button type="button" class="outline-name" onClick={() => choose(node)}>
                      <Sign node={node} />
                      <span><span class="outline-title">{node.name}</span><span class="quiet">{kindText(node.kind)}{node.detail && ` · ${node.detail}`}</span></span>
                    </button>
                  </th>
                  <td>
                    {node.missing ? <Ready status="False" reason={t("missing")} message={node.message} /> : node.ready !== "" && <Ready status={node.ready} reason={node.reason} message={node.message} />}
                    {node.kind === "Service" && !node.missing && <span class="quiet"> {t("instances", { n: byService.value.get(node.id)?.length ?? 0 })}</span>}
                  </td>
                  <td>
                    <ul>
                      {out.map(({ edge, to }) => (
                        <li key={edge.id}>
                          <span class="quiet">{t(`role_${edge.role}`)} </span>
                          <button type="button" class="node-link" onClick={() => choose(to)}>{kindText(to.kind)} {to.name}</button>
                          {edge.label && <span class="mono quiet"> {edge.label}</span>}
                          <Count keys={edge.flows} />
                        </li>
                      ))}
                    </ul>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </div>
  );
}

function Count({ keys }: { keys: readonly string[] }) {
  const { count, failed } = beat.value < 0 ? { count: 0, failed: 0 } : flows.sum(keys, seconds());
  if (count === 0) return null;
  return <span class="quiet"> · {t("events", { n: count })}{failed > 0 && `, ${t("failedOf", { n: failed })}`}</span>;
}
