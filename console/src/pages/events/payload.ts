/** The data of an event as it can be shown. Pure. */
import type { CloudEvent } from "./types";

export interface Payload {
  readonly kind: "none" | "json" | "text" | "binary";
  /** JSON laid out, text as it is, binary data as hexadecimal. */
  readonly text: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const NO_BYTES = new Uint8Array(0);
/** Of binary data, that are shown. */
export const SHOWN = 4096;
const CONTEXT = new Set(["data", "data_base64"]);

export function payload(event: CloudEvent): Payload {
  const encoded = event["data_base64"];
  if (typeof encoded === "string") return ofBytes(decoded(encoded));
  if (!("data" in event)) return { kind: "none", text: "", bytes: NO_BYTES };
  const data = event["data"];
  const plain = typeof data === "string" && !/json/i.test(String(event["datacontenttype"] ?? "json"));
  const text = plain ? data : JSON.stringify(data, null, 2);
  const bytes = new TextEncoder().encode(plain ? data : JSON.stringify(data));
  return { kind: plain ? "text" : "json", text, bytes };
}

function ofBytes(bytes: Uint8Array<ArrayBuffer>): Payload {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // Text that a terminal would not print is rather looked at byte by byte.
    if (!/[\u0000-\u0008\u000e-\u001f]/.test(text)) return { kind: "text", text, bytes };
  } catch {
    // Not text.
  }
  return { kind: "binary", text: hex(bytes.subarray(0, SHOWN)), bytes };
}

function decoded(text: string): Uint8Array<ArrayBuffer> {
  try {
    const binary = atob(text);
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  } catch {
    return NO_BYTES;
  }
}

/** Sixteen bytes a line: where they are, what they are, and what they would be as text. */
export function hex(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const some = [...bytes.subarray(at, at + 16)];
    const digits = some.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = some.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${digits.padEnd(47)}  ${letters}`);
  }
  return lines.join("\n");
}

/** The attributes of an event, those of the specification first. */
export function attributes(event: CloudEvent): [string, string][] {
  const first = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"];
  const names = Object.keys(event).filter((name) => !CONTEXT.has(name));
  const rank = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length);
  return names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).map((name) => [name, String(event[name])]);
}
