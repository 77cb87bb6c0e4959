/** An event as a command for a terminal. Pure; every text is quoted, as it may be anything. */
import { quoted } from "../../curl";
import type { CloudEvent, Place } from "./types";

const CORE = ["id", "source", "type", "subject"];
const LEFT_OUT = new Set([...CORE, "specversion", "time", "datacontenttype", "dataschema", "data", "data_base64"]);

export function asCurl(event: CloudEvent, to: Place | string, origin: string): string {
  const url = typeof to === "string" ? to : `${origin}/knlite/events?${parameter(to)}=${to.namespace}/${to.name}`;
  return [`curl ${quoted(url)}`, "-H 'content-type: application/cloudevents+json'", `--data-raw ${quoted(JSON.stringify(event))}`].join(" \\\n  ");
}

/** Null for what `knlite send` cannot say: a time, a schema, binary data. */
export function asSend(event: CloudEvent, to: Place | string, port: string): string | null {
  if ("data_base64" in event || "dataschema" in event) return null;
  const parts = ["knlite send"];
  for (const name of CORE) if (typeof event[name] === "string" && event[name] !== "") parts.push(`--${name} ${quoted(String(event[name]))}`);
  if (typeof to === "string") parts.push(`--to ${quoted(to)}`);
  else parts.push(`--${parameter(to)} ${quoted(`${to.namespace}/${to.name}`)}`);
  for (const [name, value] of Object.entries(event)) if (!LEFT_OUT.has(name)) parts.push(`--ext ${quoted(`${name}=${String(value)}`)}`);
  if ("data" in event) {
    const text = typeof event["data"] === "string" && !/json/i.test(String(event["datacontenttype"] ?? "json")) ? event["data"] : JSON.stringify(event["data"]);
    // What begins with @ names a file.
    if (text.startsWith("@")) return null;
    parts.push(`--data ${quoted(text)}`);
    if (event["datacontenttype"]) parts.push(`--content-type ${quoted(String(event["datacontenttype"]))}`);
  }
  if (port && port !== "8081") parts.push(`--admin-port ${port}`);
  return parts.join(" ");
}

export const parameter = (to: Place): "broker" | "channel" => (to.kind === "Broker" ? "broker" : "channel");
