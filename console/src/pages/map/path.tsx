/** The path of the event that the address names: its story is read, with those it leads to. */
import { signal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { ApiError, get } from "../../api";
import { messages } from "../../i18n";
import { useEscape } from "../../keys";
import { ask, href, route } from "../../router";
import { flow } from "../../state/flow";
import { graph } from "../../state/graph";
import { IconButton } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { light, next, open, type Story } from "./lighting";
import { texts } from "./messages";
import { lit, reveal, stories } from "./model";

const t = messages(texts);

/** A reply may lead to another, and that back again. */
const MOST = 24;
const PAUSE = 400;

export const eventOf = (): string => route.value.query["event"] ?? "";

export function PathBar() {
  const arrival = useComputed(eventOf).value;
  const problem = useComputed(() => trouble.value).value;
  useStories(arrival);
  useSignalEffect(() => {
    lit.value = stories.value.length > 0 ? light(graph.value, stories.value) : null;
    if (lit.value) reveal([...lit.value.nodes.keys(), ...lit.value.verdicts.keys()]);
  });
  return arrival === "" ? null : <Bar arrival={arrival} problem={problem} />;
}

function Bar({ arrival, problem }: { arrival: string; problem: string }) {
  const first = stories.value[0];
  const leave = (): void => ask({ event: undefined });
  useEscape(leave);
  return (
    <div class="path-bar" role="status">
      <Icon name="events" />
      <p class="cut">
        <strong>{t("pathOf", { id: first?.event.id ?? arrival })}</strong>
        {first && <> <span class="mono">{first.event.type}</span> · <span class={`word ${first.state.replace(" ", "-")}`}>{first.state}</span> · {first.why}</>}
        {problem && <> · {problem}</>}
      </p>
      <a href={href("events", [arrival])}>{t("pathStory")}</a>
      <IconButton icon="close" label={t("pathClose")} onClick={leave} />
    </div>
  );
}

/** Why there is no story. */
const trouble = signal("");

function useStories(arrival: string): void {
  useEffect(() => {
    const stop = new AbortController();
    if (arrival === "") {
      stories.value = [];
      trouble.value = "";
    } else void read(arrival, stop.signal);
    return () => stop.abort();
  }, [arrival]);
  const timer = useRef(0);
  useSignalEffect(() => {
    // What goes on changes the story only when something has been sent.
    if (Object.keys(flow.value.counts).length === 0 || arrival === "" || !open(stories.peek())) return;
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      if (eventOf() === arrival) void read(arrival);
    }, PAUSE);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
}

async function read(arrival: string, signal?: AbortSignal): Promise<void> {
  const found = new Map<string, Story>();
  const wanted = [arrival];
  try {
    for (let id = wanted.shift(); id !== undefined && found.size < MOST; id = wanted.shift()) {
      if (found.has(id)) continue;
      const story = await get<Story>(`/knlite/events/${encodeURIComponent(id)}`, signal);
      found.set(id, story);
      wanted.push(...next(story).map(String));
    }
    trouble.value = "";
  } catch (error) {
    if (signal?.aborted) return;
    if (found.size === 0) trouble.value = error instanceof ApiError && error.status === 404 ? t("pathGone") : String(error instanceof Error ? error.message : error);
  }
  if (eventOf() === arrival) stories.value = [...found.values()];
}
