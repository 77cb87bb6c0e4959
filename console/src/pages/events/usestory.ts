/** The story of one event, kept up with what happens to it. */
import { useEffect, useState } from "preact/hooks";

import { get } from "../../api";
import { subscribe } from "../../live";
import { now } from "../../now";
import type { Branch, Story, Stub } from "./types";

export interface Told {
  readonly story: Story | null;
  readonly tree: Branch | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** Milliseconds between two questions. */
const PAUSE = 150;

export function useStory(arrival: number): Told {
  const [told, set] = useState<{ arrival: number; story: Story | null; tree: Branch | null; error: unknown }>({ arrival, story: null, tree: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const aborting = new AbortController();
    let timer = 0;
    let arrivals = new Set([arrival]);
    const ask = async (): Promise<void> => {
      timer = 0;
      try {
        const story = await get<Story>(`/knlite/events/${arrival}`, aborting.signal);
        const wentOn = story.rows.some((row) => row.attempts.some((attempt) => attempt.entered > 0));
        const tree = wentOn ? await get<Branch>(`/knlite/events/${arrival}?tree=true`, aborting.signal) : null;
        arrivals = new Set([arrival, ...(tree ? within(tree) : [])]);
        set({ arrival, story, tree, error: null });
        now.value = Math.max(now.value, Date.now());
      } catch (error) {
        if (!aborting.signal.aborted) set((before) => ({ ...before, arrival, error }));
      }
    };
    void ask();
    const stop = subscribe("events", (data) => {
      const items = (data as { items: readonly Stub[] }).items;
      if (items.some((item) => arrivals.has(item.arrival))) timer ||= window.setTimeout(() => void ask(), PAUSE);
    });
    return () => {
      aborting.abort();
      clearTimeout(timer);
      stop();
    };
  }, [arrival, turn]);
  const mine = told.arrival === arrival ? told : { story: null, tree: null, error: null };
  return { ...mine, again: () => setTurn((before) => before + 1) };
}

export const within = (tree: Branch): number[] => [tree.event.arrival, ...tree.children.flatMap(within)];
