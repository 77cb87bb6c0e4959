/** Requests as the server tells of them, and what a list makes of them. Pure. */

import type { Stage } from "../../ui/stages";
import type { LogRow } from "../logs/lines";

/** Seconds are counted from the request's arrival. */
export interface Row {
  readonly id: string;
  readonly number: number;
  readonly at: string;
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  readonly instance: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly seconds: number;
  readonly waited: number;
  readonly firstByte: number;
  readonly cold: boolean;
  readonly how: string;
  readonly why: string;
  readonly event: string;
  readonly stages: readonly Stage[];
}

export interface Note {
  readonly at: number;
  readonly text: string;
}

export interface Waterfall {
  readonly total: number;
  readonly answered: boolean;
  readonly stages: readonly Stage[];
  readonly notes: readonly Note[];
}

export interface Told {
  readonly story: {
    readonly request: Row;
    readonly waterfall: Waterfall;
    readonly event: { readonly id: string; readonly type: string; readonly source: string } | null;
    readonly record: {
      readonly httpRequest: { readonly requestSize: string; readonly responseSize: string; readonly remoteIp: string; readonly protocol: string };
      readonly traceId: string;
      readonly routeTag: string;
      readonly configuration: string;
    };
    readonly headers: Readonly<Record<string, string>>;
    readonly sameId: readonly Row[];
  };
  readonly lines: readonly LogRow[];
}

export interface Bin {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly histogram: readonly Bin[];
}

export interface ColdSpread extends Spread {
  readonly stages: readonly { readonly name: string; readonly seconds: number }[];
}

export interface Latency {
  readonly namespace: string;
  readonly service: string;
  readonly warm: Spread;
  readonly cold: ColdSpread;
  readonly thawed: ColdSpread;
}

export interface Filter {
  readonly text: string;
  /** `namespace/name`. */
  readonly service: string;
  /** `""`, `failed`, `2xx`, … */
  readonly status: string;
  readonly cold: boolean;
  /** Seconds. */
  readonly slower: number;
  /** The id of the event that it carried. */
  readonly event: string;
  readonly revision: string;
  readonly instance: string;
}

/** As many rows are kept in the page. */
export const MOST_ROWS = 1000;

/** A number alone is not enough: it begins anew with each run of the server. */
export const keyOf = (row: Row): string => `${row.number}@${row.at}`;

export const failed = (row: Row): boolean => row.status === 0 || row.status >= 500;

/** Older rows with newer ones before them, each once. Both are newest first. */
export function joined(rows: readonly Row[], newer: readonly Row[]): readonly Row[] {
  if (newer.length === 0) return rows;
  const known = new Set(rows.slice(0, 200).map(keyOf));
  const fresh = newer.filter((row) => !known.has(keyOf(row)));
  return fresh.length === 0 ? rows : [...fresh, ...rows].slice(0, MOST_ROWS);
}

/** Whether a row that has just come belongs into the list; the server judges the others so. */
export function matches(row: Row, filter: Filter): boolean {
  const text = filter.text.toLowerCase();
  return (
    (filter.service === "" || filter.service === `${row.namespace}/${row.service}`) &&
    hasStatus(row, filter.status) &&
    (!filter.cold || row.cold) &&
    row.seconds >= filter.slower &&
    (["event", "revision", "instance"] as const).every((name) => filter[name] === "" || filter[name] === row[name]) &&
    (text === "" || [row.path, row.host, row.method, row.id, row.instance, row.why, row.event].some((place) => place.toLowerCase().includes(text)))
  );
}

function hasStatus(row: Row, wanted: string): boolean {
  if (wanted === "") return true;
  if (wanted === "failed") return failed(row);
  if (wanted.endsWith("xx")) return wanted.startsWith(String(Math.floor(row.status / 100)));
  return wanted === String(row.status);
}

/** The query for the server. */
export function asked(filter: Filter): string {
  const query = new URLSearchParams({ limit: "500" });
  if (filter.text) query.set("text", filter.text);
  if (filter.service) query.set("service", filter.service);
  if (filter.status) query.set("status", filter.status);
  if (filter.cold) query.set("cold", "true");
  if (filter.slower) query.set("slower", String(filter.slower));
  for (const name of ["event", "revision", "instance"] as const) if (filter[name]) query.set(name, filter[name]);
  return query.toString();
}

const SHORTEST = 0.0005;
const LONGEST = 10;

/** How long a bar is, in per cent, so that half a millisecond and ten seconds fit in one list. */
export function reach(seconds: number): number {
  const clamped = Math.min(LONGEST, Math.max(SHORTEST, seconds));
  return 8 + (92 * Math.log(clamped / SHORTEST)) / Math.log(LONGEST / SHORTEST);
}

/** Round moments between 0 and a total, for an axis: at most `most` steps. */
export function ticks(total: number, most = 5): number[] {
  if (!(total > 0)) return [0];
  const rough = total / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const found: number[] = [];
  for (let index = 0; index * step <= total * 1.0001; index += 1) found.push(Number((index * step).toPrecision(12)));
  return found;
}

/** The app's own time: from being handed the request to its first byte, and to its last. */
export function ownTime(stages: readonly Stage[]): { first: number; last: number } | null {
  const app = stages.find((stage) => stage.name === "app");
  if (!app) return null;
  return { first: app.end - app.start, last: (stages.at(-1)?.end ?? app.end) - app.start };
}
