/** What is typed into the search of events: `type:order.paid source:/shop "some words"`. Pure. */
import type { Selection } from "../../selection";
import { STATES, type State, type Summary } from "./types";

const FACETS = ["type", "source", "subject", "id", "state", "trigger", "broker", "channel"] as const;
type Facet = (typeof FACETS)[number];

export interface Search {
  readonly facets: Readonly<Partial<Record<Facet, string>>>;
  /** Words that stand anywhere in the attributes or the data. */
  readonly text: string;
}

const PIECE = /(?:([a-z]+):)?(?:"((?:[^"\\]|\\.)*)"?|(\S+))/gi;

/** Of a facet that stands there twice the last one counts. */
export function parse(typed: string): Search {
  const facets: Partial<Record<Facet, string>> = {};
  const words: string[] = [];
  for (const match of typed.matchAll(PIECE)) {
    const [whole, name = "", quoted, plain = ""] = match;
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1");
    const facet = FACETS.find((each) => each === name.toLowerCase());
    if (facet) facets[facet] = value;
    else words.push(quoted === undefined ? whole : name ? `${name}:${value}` : value);
  }
  return { facets, text: words.join(" ") };
}

/** The search with a facet set, or taken out by an empty value; everything else as it was. */
export function withFacet(typed: string, facet: Facet, value: string): string {
  const { facets, text } = parse(typed);
  const next: Partial<Record<Facet, string>> = { ...facets, [facet]: value };
  const told = FACETS.filter((each) => next[each]).map((each) => `${each}:${quoted(next[each] ?? "")}`);
  return [...told, text].filter(Boolean).join(" ");
}

const quoted = (value: string): string => (/^[^\s"]+$/.test(value) ? value : JSON.stringify(value));

/** As much of the graph as is needed to find who gives events to whom. */
export interface Ways {
  readonly nodes: readonly { readonly id: string; readonly role: string }[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
}

export type Params = Readonly<Record<string, string>>;

/** What the server is asked. `since` is a time of day in milliseconds, 0 for all that is kept. */
export function params({ facets, text }: Search, selected: Params, since: number): Params {
  const asked: Record<string, string> = { ...selected };
  for (const [name, value] of Object.entries(facets)) if (value) asked[name === "trigger" ? "egress" : name] = value;
  if (text) asked["text"] = text;
  if (since > 0) asked["since"] = String(Math.round(since * 1000));
  return asked;
}

/** What a selected object means for events: those that it took, was given, or has sent. */
export function selectedParams(selected: Selection | null, graph: Ways): Params {
  if (!selected) return {};
  const { kind, namespace, name } = selected;
  switch (kind) {
    case "Broker":
      return { broker: `${namespace}/${name}` };
    case "InMemoryChannel":
    case "Channel":
    case "KafkaChannel":
      return { channel: `${namespace}/${name}` };
    case "Trigger":
    case "Subscription":
      return { egress: `${kind}/${namespace}/${name}` };
    case "PingSource":
      return { source: `/apis/v1/namespaces/${namespace}/pingsources/${name}` };
    default: {
      const egresses = leadingTo(graph, `${kind}/${namespace}/${name}`);
      // Nothing leads there: then an egress that there is not finds nothing, as it should.
      return { egress: egresses.join(",") || `${kind}/${namespace}/${name}` };
    }
  }
}

/** The triggers and subscriptions that give their events to something. */
function leadingTo(graph: Ways, id: string): string[] {
  const egresses = new Set(graph.nodes.filter((node) => node.role === "trigger" || node.role === "subscription").map((node) => node.id));
  return graph.edges.filter((edge) => edge.target === id && egresses.has(edge.source)).map((edge) => edge.source);
}

/** Whether an event is one of those that are asked for, as far as that can be told here; null if
 * only the server knows. */
export function takes(asked: Params, event: Summary): boolean | null {
  const sure = { type: event.type, source: event.source, subject: event.subject, id: event.id, state: event.state };
  for (const [name, value] of Object.entries(sure)) if (asked[name] && asked[name] !== value) return false;
  if (asked["since"] && event.arrival < Number(asked["since"])) return false;
  return ["text", "egress", "broker", "channel"].some((name) => asked[name]) ? null : true;
}

export const isState = (text: string): text is State => STATES.some((each) => each === text);
