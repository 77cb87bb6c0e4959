/** One page; where one is stands in the hash: `#/PAGE/REST…?QUERY`. */
import { computed, signal } from "@preact/signals";

export const PAGES = ["map", "services", "requests", "events", "logs", "manifests"] as const;
export type Page = (typeof PAGES)[number];

export interface Place {
  /** The page that is shown; `send` belongs to the events. */
  readonly page: Page | "send";
  readonly rest: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

type Query = Readonly<Record<string, string | undefined>>;

const hash = signal(typeof location === "undefined" ? "" : location.hash);

export const route = computed<Place>(() => parse(hash.value));

/** The place that a hash names; what names none is the map. */
export function parse(text: string): Place {
  const [path = "", search = ""] = split(text.replace(/^#\/?/, ""), "?");
  const [first = "", ...rest] = path.split("/").filter((part) => part !== "").map(decoded);
  const known = first === "send" ? first : PAGES.find((page) => page === first);
  return { page: known ?? "map", rest: known ? rest : [], query: Object.fromEntries(new URLSearchParams(search)) };
}

/** The hash of a place. What a query says `undefined` of is left out. */
export function format(page: Place["page"], rest: readonly string[] = [], query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") search.set(name, value);
  const asked = search.toString();
  return `#/${[page, ...rest.map(encodeURIComponent)].join("/")}${asked ? `?${asked}` : ""}`;
}

/** The address of a place, for links; the selection (`at`) goes along unless the query names one. */
export function href(page: Place["page"], rest: readonly string[] = [], query: Query = {}): string {
  return format(page, rest, { at: route.value.query["at"], ...query });
}

export function go(page: Place["page"], rest: readonly string[] = [], query: Query = {}): void {
  location.hash = href(page, rest, query);
}

/** Change what the query of this place says, without a step in the history (filters while typing). */
export function ask(changes: Query): void {
  const { page, rest, query } = route.peek();
  history.replaceState(null, "", format(page, rest, { ...query, ...changes }));
  hash.value = location.hash;
}

if (typeof addEventListener !== "undefined") addEventListener("hashchange", () => (hash.value = location.hash));

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
