/** The stream of lines from the server, begun anew when it breaks off. */
import { ApiError } from "../../api";
import { Backoff } from "../../backoff";
import type { LogRow } from "./lines";

interface Batch {
  readonly lines: readonly LogRow[];
  /** Left out: before the first lines older ones, later those that came too fast. */
  readonly skipped: number;
}

export interface Following {
  /** *first* of a connection: it holds what is kept, so what was there before is to go. */
  readonly batch: (batch: Batch, first: boolean) => void;
  readonly lost: () => void;
  /** The server refuses, and would again. */
  readonly refused: (error: ApiError) => void;
}

/** Follow what a query selects until the answer is called. */
export function follow(query: string, told: Following): () => void {
  const leave = new AbortController();
  void run(query, told, leave.signal);
  return () => leave.abort();
}

async function run(query: string, told: Following, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff();
  while (!signal.aborted) {
    try {
      const answer = await fetch(`/knlite/logs?follow=true&${query}`, { signal, headers: { Accept: "application/x-ndjson" } });
      if (!answer.ok) {
        told.refused(new ApiError(answer.status, "", await said(answer)));
        if (answer.status < 500) return;
      } else if (answer.body) {
        let first = true;
        await batches(answer.body, (batch) => {
          told.batch(batch, first);
          first = false;
          backoff.reset();
        });
      }
    } catch {
      // What broke it off is told below; if it was this page, nobody listens any more.
    }
    if (signal.aborted) return;
    told.lost();
    await pause(backoff.next(), signal);
  }
}

async function batches(body: ReadableStream<Uint8Array>, take: (batch: Batch) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") take(JSON.parse(part) as Batch);
  }
}

async function said(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    return String((JSON.parse(text) as { message?: unknown }).message ?? text);
  } catch {
    return text;
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
