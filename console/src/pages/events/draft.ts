/** An event that is being written, and what is wrong with it. Pure.
 *
 * Source: CloudEvents 1.0.2, "Context Attributes", "Type System". */
import type { CloudEvent } from "./types";

export interface Draft {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** Empty: the time of sending. */
  readonly time: string;
  readonly datacontenttype: string;
  readonly dataschema: string;
  readonly extensions: readonly (readonly [string, string])[];
  /** As text; in Base64 if `binary`. */
  readonly data: string;
  readonly binary: boolean;
}

export const EMPTY: Draft = {
  id: "", source: "/console", type: "", subject: "", time: "", datacontenttype: "application/json", dataschema: "", extensions: [], data: "{}", binary: false,
};

export type Faults = Readonly<Partial<Record<"source" | "type" | "time" | "datacontenttype" | "dataschema" | "data" | "extensions", Fault>>>;
export type Fault = "required" | "notUri" | "notTime" | "notMedia" | "notJson" | "notBase64" | "badName" | "takenName" | "twiceName";

const NAME = /^[a-z0-9]+$/;
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const MEDIA = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;.*)?$/;
const TAKEN = new Set(["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"]);

export const isJson = (media: string): boolean => media === "" || /^[^;]*[/+]json\b/i.test(media);

export function faults(draft: Draft): Faults {
  const found: { -readonly [K in keyof Faults]: Faults[K] } = {};
  if (draft.source.trim() === "") found.source = "required";
  else if (!isUriReference(draft.source)) found.source = "notUri";
  if (draft.type.trim() === "") found.type = "required";
  if (draft.time !== "" && !(TIME.test(draft.time) && Number.isFinite(Date.parse(draft.time)))) found.time = "notTime";
  if (draft.datacontenttype !== "" && !MEDIA.test(draft.datacontenttype)) found.datacontenttype = "notMedia";
  if (draft.dataschema !== "" && !/^[a-z][a-z0-9+.-]*:\S+$/i.test(draft.dataschema)) found.dataschema = "notUri";
  const names = draft.extensions.map(([name]) => name);
  if (names.some((name) => !NAME.test(name))) found.extensions = "badName";
  else if (names.some((name) => TAKEN.has(name))) found.extensions = "takenName";
  else if (new Set(names).size < names.length) found.extensions = "twiceName";
  const wrong = dataFault(draft);
  if (wrong) found.data = wrong.fault;
  return found;
}

/** What is wrong with the data, and how the parser says it. */
export function dataFault(draft: Draft): { fault: Fault; said: string } | null {
  if (draft.data === "") return null;
  if (draft.binary) {
    const sound = /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(draft.data) && draft.data.replace(/\s/g, "").length % 4 === 0;
    return sound ? null : { fault: "notBase64", said: "" };
  }
  if (!isJson(draft.datacontenttype)) return null;
  try {
    JSON.parse(draft.data);
    return null;
  } catch (error) {
    return { fault: "notJson", said: error instanceof Error ? error.message : "" };
  }
}

export const isSound = (draft: Draft): boolean => Object.keys(faults(draft)).length === 0;

/** The event, in the JSON format of CloudEvents; `id` and `time` stand in where it has none. */
export function eventOf(draft: Draft, id: string, time: string): CloudEvent {
  const event: Record<string, unknown> = { specversion: "1.0", id: draft.id || id, source: draft.source, type: draft.type };
  if (draft.subject) event["subject"] = draft.subject;
  event["time"] = draft.time || time;
  if (draft.datacontenttype && draft.data !== "") event["datacontenttype"] = draft.datacontenttype;
  if (draft.dataschema) event["dataschema"] = draft.dataschema;
  for (const [name, value] of draft.extensions) if (value !== "") event[name] = value;
  if (draft.data === "") return event;
  if (draft.binary) event["data_base64"] = draft.data.replace(/\s/g, "");
  else event["data"] = isJson(draft.datacontenttype) ? JSON.parse(draft.data) : draft.data;
  return event;
}

/** The body of a request that carries the event in structured mode. Numbers in the data stay as they
 * were written, which `JSON.parse` would round. */
export function structured(draft: Draft, id: string, time: string): string {
  const asText = !draft.binary && draft.data !== "" && isJson(draft.datacontenttype);
  const { data: _, ...rest } = eventOf(asText ? { ...draft, data: "null" } : draft, id, time);
  if (!asText) return JSON.stringify(eventOf(draft, id, time));
  return `${JSON.stringify(rest).slice(0, -1)},"data":${draft.data}}`;
}

/** Headers and body of a request that carries it in binary mode. */
export function binary(draft: Draft, id: string, time: string): { headers: Record<string, string>; body: string } {
  const { data: _, data_base64: __, datacontenttype, ...rest } = eventOf({ ...draft, data: draft.data === "" ? "" : draft.binary ? draft.data : "null" }, id, time);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(rest)) headers[`ce-${name}`] = percent(String(value));
  if (typeof datacontenttype === "string") headers["content-type"] = datacontenttype;
  return { headers, body: draft.data };
}

/** As the HTTP binding has it: what no header can carry, and the percent sign itself. */
const percent = (text: string): string => text.replace(/[^\x21\x23\x24\x26-\x7e ]|%|"/gu, (char) => encodeURIComponent(char).replace(/^[^%]$/, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`));

/** A draft of an event that there was. With a new id it is another event, not the same again. */
export function draftOf(event: CloudEvent): Draft {
  const text = (name: string): string => (typeof event[name] === "string" ? event[name] : "");
  const encoded = event["data_base64"];
  const media = text("datacontenttype");
  const data = "data" in event ? (typeof event["data"] === "string" && !isJson(media) ? event["data"] : JSON.stringify(event["data"], null, 2)) : "";
  return {
    id: "",
    source: text("source"),
    type: text("type"),
    subject: text("subject"),
    time: "",
    datacontenttype: media || ("data" in event ? "application/json" : ""),
    dataschema: text("dataschema"),
    extensions: Object.entries(event).filter(([name]) => !TAKEN.has(name) && name !== "knativearrivaltime").map(([name, value]) => [name, String(value)] as const),
    data: typeof encoded === "string" ? encoded : data,
    binary: typeof encoded === "string",
  };
}

function isUriReference(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && !/[<>"{}|\\^`]/.test(text);
}
