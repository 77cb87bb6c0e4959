/** A filter as it is written, with the parts that decided marked in it. Pure. */
import type { Filter, Part } from "./types";

type Mark = "passed" | "failed" | "error";

export interface Segment {
  readonly text: string;
  readonly mark?: Mark;
}

export interface Line {
  readonly segments: readonly Segment[];
  /** What was seen by the part that decided here: `type is "order"`. */
  readonly seen: string;
}

/** The lines of a filter as YAML; empty if there is none. */
export function filterLines(filter: Filter, parts: readonly Part[]): Line[] {
  const marked = new Map<string, Part[]>();
  for (const part of parts) marked.set(part.path, [...(marked.get(part.path) ?? []), part]);
  const filters = filter["filters"];
  const lines: Line[] = [];
  if (Array.isArray(filters) && filters.length > 0) {
    lines.push(plain("filters:"));
    items(filters, "filters", "", marked, lines);
    return lines;
  }
  const wanted = record(record(filter["filter"])["attributes"]);
  if (Object.keys(wanted).length === 0) return lines;
  lines.push(plain("filter:"), plain("  attributes:"));
  entries(wanted, "filter.attributes", "    ", marked, lines);
  return lines;
}

function items(list: readonly unknown[], path: string, indent: string, marked: ReadonlyMap<string, Part[]>, lines: Line[]): void {
  list.forEach((item, index) => expression(record(item), `${path}[${index}]`, `${indent}- `, marked, lines));
}

function expression(item: Readonly<Record<string, unknown>>, path: string, lead: string, marked: ReadonlyMap<string, Part[]>, lines: Line[]): void {
  const inside = " ".repeat(lead.length);
  let first = true;
  for (const [name, value] of Object.entries(item)) {
    if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    const start: string = first ? lead : inside;
    first = false;
    const here = `${path}.${name}`;
    if (name === "cesql") lines.push(cesql(String(value), start, marked.get(here) ?? []));
    else if (name === "all" || name === "any") {
      lines.push(plain(`${start}${name}:`));
      items(Array.isArray(value) ? value : [], here, inside, marked, lines);
    } else if (name === "not") {
      lines.push(plain(`${start}not:`));
      expression(record(value), here, `${inside}  `, marked, lines);
    } else if (Object.keys(record(value)).length > 0) {
      lines.push(plain(`${start}${name}:`));
      entries(record(value), here, `${inside}  `, marked, lines);
    } else first = start === lead;
  }
  if (first) lines.push(plain(`${lead}{}`));
}

function entries(wanted: Readonly<Record<string, unknown>>, path: string, indent: string, marked: ReadonlyMap<string, Part[]>, lines: Line[]): void {
  for (const [name, value] of Object.entries(wanted)) {
    const part = marked.get(`${path}[${name}]`)?.[0];
    const text = `${name}: ${scalar(String(value))}`;
    lines.push({ segments: [{ text: indent }, part ? { text, mark: markOf(part) } : { text }], seen: part ? seen([part]) : "" });
  }
}

function cesql(text: string, start: string, parts: readonly Part[]): Line {
  const segments: Segment[] = [{ text: `${start}cesql: ` }];
  const letters = [...text];
  let at = 0;
  for (const part of [...parts].sort((a, b) => a.start - b.start)) {
    if (part.end <= part.start || part.start < at) continue;
    if (part.start > at) segments.push({ text: letters.slice(at, part.start).join("") });
    segments.push({ text: letters.slice(part.start, part.end).join(""), mark: markOf(part) });
    at = part.end;
  }
  if (at < letters.length) segments.push({ text: letters.slice(at).join("") });
  return { segments, seen: seen(parts) };
}

const markOf = (part: Part): Mark => (part.value === null ? "error" : part.value ? "passed" : "failed");

export function seen(parts: readonly Part[]): string {
  const all = new Map(parts.flatMap((part) => Object.entries(part.seen)));
  return [...all].map(([name, value]) => (value === null ? `${name} is absent` : `${name} is ${JSON.stringify(value)}`)).join(", ");
}

const plain = (text: string): Line => ({ segments: [{ text }], seen: "" });
const scalar = (text: string): string => (/^[\w./:@-]+$/.test(text) && !/^(?:true|false|null|~|[\d.+-]+)$/i.test(text) ? text : JSON.stringify(text));

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
