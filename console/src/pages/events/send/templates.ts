/** What an event can begin with: the types that are known, and events that came. */
import { get } from "../../../api";
import { draftOf, EMPTY, type Draft } from "../draft";
import type { Story, Summary } from "../types";

export interface Template {
  readonly key: string;
  readonly label: string;
  readonly draft: () => Promise<Draft>;
}

interface EventType {
  readonly metadata: { readonly uid: string; readonly namespace: string; readonly name: string };
  readonly spec?: {
    readonly type?: string;
    readonly source?: string;
    readonly schema?: string;
    readonly attributes?: readonly { readonly name: string; readonly value?: string }[];
  };
}

export interface Templates {
  readonly types: readonly Template[];
  readonly past: readonly Template[];
}

const PAST = "300";
const MOST = 20;

/** Of each type the newest event stands for all of it. */
export async function templates(signal: AbortSignal): Promise<Templates> {
  const [types, past] = await Promise.all([
    get<{ items: EventType[] }>("/apis/eventing.knative.dev/v1beta3/eventtypes", signal).then(({ items }) => items, () => []),
    get<{ events: Summary[] }>(`/knlite/events?limit=${PAST}`, signal).then(({ events }) => events.reverse(), () => []),
  ]);
  const newest = new Map<string, Summary>();
  for (const event of past) if (!newest.has(event.type)) newest.set(event.type, event);
  return { types: types.map(ofType), past: [...newest.values()].slice(0, MOST).map(ofEvent) };
}

function ofType({ metadata, spec = {} }: EventType): Template {
  const values = new Map((spec.attributes ?? []).map(({ name, value }) => [name, value ?? ""]));
  const type = values.get("type") ?? spec.type ?? "";
  const source = values.get("source") ?? spec.source ?? EMPTY.source;
  // What stands in braces there is a pattern, not a value.
  const filled = /[{}]/.test(source) ? EMPTY.source : source;
  const dataschema = values.get("dataschema") ?? spec.schema ?? "";
  return { key: `type/${metadata.uid}`, label: `${type} · ${metadata.namespace}/${metadata.name}`, draft: () => Promise.resolve({ ...EMPTY, type, source: filled, dataschema }) };
}

const ofEvent = (event: Summary): Template => ({ key: `event/${event.arrival}`, label: `${event.type} · ${event.id}`, draft: async () => draftOf((await get<Story>(`/knlite/events/${event.arrival}`)).event) });
