/** Gives an event to the server, in the content mode that was chosen. */
import { ApiError, meta, post } from "../../../api";
import { parameter } from "../commands";
import { binary, structured, type Draft } from "../draft";
import type { Place, Row, Sent } from "../types";

export type Target = { readonly place: Place } | { readonly url: string };

export const search = (target: Target): string =>
  new URLSearchParams("url" in target ? { to: target.url } : { [parameter(target.place)]: `${target.place.namespace}/${target.place.name}` }).toString();

const STRUCTURED = "application/cloudevents+json";

/** Raises `ApiError`. */
export async function send(draft: Draft, target: Target, mode: "structured" | "binary"): Promise<Sent> {
  const id = crypto.randomUUID();
  const time = new Date().toISOString();
  const path = `/knlite/events?${search(target)}`;
  // What is in Base64 has bytes that a text cannot hold: it goes as JSON.
  if (mode === "structured" || draft.binary) return post<Sent>(path, structured(draft, id, time), STRUCTURED);
  const { headers, body } = binary(draft, id, time);
  let answer: Response;
  try {
    answer = await fetch(path, { method: "POST", headers: { ...headers, "X-Knlite-Token": meta("token") }, body: new Blob([body]) });
  } catch {
    throw new ApiError(0, "Unreachable", "knlite does not answer. Is it still running?");
  }
  const said = (await answer.json()) as Sent & { message?: string; reason?: string };
  if (!answer.ok) throw new ApiError(answer.status, said.reason ?? "", said.message ?? "");
  return said;
}

/** Who would get it, without sending it. */
export async function foretell(draft: Draft, place: Place, signal: AbortSignal): Promise<readonly Row[]> {
  const body = structured(draft, "dry-run", new Date().toISOString());
  return (await post<{ rows: Row[] }>(`/knlite/explain?${search({ place })}`, body, STRUCTURED, signal)).rows;
}
