/** The path of one event through the map: what its story, and those of what became of it, say of
 * nodes and edges. The event's own story is the first. */
import type { Graph } from "../../state/graph";

export interface Attempt {
  readonly leg: string;
  readonly outcome: string;
  readonly status: number;
  readonly why: string;
  /** The arrival of what was sent, where something here has taken it. */
  readonly entered: number;
}

export interface Row {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly matched: boolean;
  readonly why: string;
  readonly path: string;
  readonly state: string;
  readonly attempts: readonly Attempt[];
}

export interface Story {
  readonly arrival: number;
  readonly sender: string;
  readonly to: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly state: string;
  readonly why: string;
  readonly event: { readonly id?: string; readonly type?: string; readonly source?: string };
  readonly rows: readonly Row[];
}

export type Light = "passed" | "failed" | "waiting";

interface Verdict {
  readonly matched: boolean;
  readonly text: string;
}

export interface Lit {
  readonly nodes: ReadonlyMap<string, Light>;
  readonly edges: ReadonlyMap<string, Light>;
  /** Beside whom it stands why the event was wanted or not. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/** The arrivals that a story leads to: replies, dead letters, what went on to another broker. */
export const next = (story: Story): number[] =>
  story.rows.flatMap((row) => row.attempts.map((attempt) => attempt.entered)).filter((entered) => entered !== 0);

const OPEN = new Set(["delivering", "waiting"]);
const ENDED: Readonly<Record<string, Light>> = { delivered: "passed", "dead-lettered": "passed", waiting: "waiting", retrying: "failed", failed: "failed" };

/** Whether anything of it is still going on. */
export const open = (stories: readonly Story[]): boolean => stories.some((story) => OPEN.has(story.state));

export function light(graph: Graph, stories: readonly Story[]): Lit {
  const flows = new Map<string, Light>();
  const verdicts = new Map<string, Verdict>();
  const inboxes = new Set<string>();
  for (const story of stories) {
    const inbox = `${story.to.kind}/${story.to.namespace}/${story.to.name}`;
    inboxes.add(inbox);
    const sender = sentBy(story.sender);
    flows.set(`${inbox}|in:${sender}`, "passed");
    if (sender !== "") flows.set(`${sender}|sends`, "passed");
    for (const row of story.rows) judged(row, flows, verdicts);
  }
  const nodes = new Map<string, Light>(graph.nodes.filter((node) => inboxes.has(node.inbox)).map((node) => [node.id, "passed"]));
  const edges = new Map<string, Light>();
  for (const edge of graph.edges) {
    // What others send as well cannot be told apart: such a way is not said to be that of the event.
    if (edge.shared) continue;
    const found = edge.flows.map((flow) => flows.get(flow)).filter((each) => each !== undefined);
    if (found[0] === undefined) continue;
    const how = found.includes("failed") ? "failed" : found[0];
    edges.set(edge.id, how);
    nodes.set(edge.source, nodes.get(edge.source) ?? "passed");
    // What one way did not bring another may have brought.
    if (nodes.get(edge.target) !== "passed") nodes.set(edge.target, how);
  }
  return { nodes, edges, verdicts };
}

/** Of one egress: the last attempt of each leg says how that went. */
function judged(row: Row, flows: Map<string, Light>, verdicts: Map<string, Verdict>): void {
  const id = `${row.kind}/${row.namespace}/${row.name}`;
  // What the event itself was told goes before what its replies were.
  if (!verdicts.has(id)) verdicts.set(id, { matched: row.matched, text: row.why });
  if (!row.matched) return;
  flows.set(`${id}|in`, "passed");
  if (row.attempts.length === 0) flows.set(`${id}|subscriber`, "waiting");
  for (const attempt of row.attempts) flows.set(`${id}|${attempt.leg}`, ENDED[attempt.outcome] ?? "failed");
}

/** The node that a sender names: `pingsource shop/tick`, `reply of trigger shop/orders`. */
export function sentBy(sender: string): string {
  const found = /^(?:(?:reply|dead letter sink) of )?([a-z]+) ([a-z0-9.-]+\/[a-z0-9.-]+)$/.exec(sender);
  const kind = KINDS[found?.[1] ?? ""];
  return found && kind ? `${kind}/${found[2]}` : "";
}

const KINDS: Readonly<Record<string, string>> = Object.fromEntries(
  ["PingSource", "ApiServerSource", "KafkaSource", "RabbitmqSource", "Trigger", "Subscription", "EventTransform", "RequestReply"].map((kind) => [kind.toLowerCase(), kind]),
);
