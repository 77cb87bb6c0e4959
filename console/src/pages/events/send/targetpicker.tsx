import { messages } from "../../../i18n";
import { graph, type GraphNode } from "../../../state/graph";
import { Field, Select } from "../../../ui/field";
import { texts } from "../messages";
import type { Target } from "./sending";

const t = messages(texts);
const CUSTOM = "url";
const CHANNELS = new Set(["InMemoryChannel", "KafkaChannel"]);

/** Whether the server keeps what is sent there, in its log. */
export const keeps = (node: GraphNode): boolean => node.kind === "Broker" || CHANNELS.has(node.kind);
const takes = (node: GraphNode): boolean => keeps(node) || (node.role === "service" && node.url !== "");

export interface Chosen {
  /** The id of a node, `url`, or empty for the first there is. */
  readonly at: string;
  readonly url: string;
}

export function targetOf(chosen: Chosen, nodes: readonly GraphNode[]): Target | null {
  if (chosen.at === CUSTOM) return { url: chosen.url };
  const there = nodes.filter(takes);
  const node = there.find((each) => each.id === chosen.at) ?? there.find(keeps);
  if (!node) return null;
  return keeps(node) ? { place: { kind: node.kind, namespace: node.namespace, name: node.name } } : { url: node.url };
}

/** Where the event goes: a broker, a channel, a service, or any URL. */
export function TargetPicker({ chosen, onChange }: { chosen: Chosen; onChange: (next: Chosen) => void }) {
  const nodes = graph.value.nodes.filter(takes).sort((a, b) => Number(keeps(b)) - Number(keeps(a)) || a.id.localeCompare(b.id));
  const known = chosen.at === CUSTOM || nodes.some((node) => node.id === chosen.at);
  const first = nodes.find(keeps);
  return (
    <>
      <Select
        label={t("target")}
        value={known ? chosen.at : (first?.id ?? CUSTOM)}
        onChange={(at) => onChange({ ...chosen, at })}
        options={[...nodes.map((node) => ({ value: node.id, label: `${node.kind} ${node.namespace}/${node.name}` })), { value: CUSTOM, label: t("custom") }]}
      />
      {(chosen.at === CUSTOM || nodes.length === 0) && (
        <Field label={t("url")} mono required value={chosen.url} placeholder="http://hello.default.svc.cluster.local" onInput={(url) => onChange({ at: CUSTOM, url })} />
      )}
    </>
  );
}
