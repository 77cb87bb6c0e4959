import { messages } from "../../i18n";
import { Badge, type Tone } from "../../ui/badge";
import { texts } from "./messages";
import type { State } from "./types";

const t = messages(texts);

const TONES: Record<State, Tone> = {
  delivered: "ready", delivering: "starting", waiting: "starting", unmatched: "gone", "dead-lettered": "failed", failed: "failed", gone: "gone", "cut off": "gone",
};

/** What has become of an event, or of one delivery of it. */
export function StateBadge({ state, bare }: { state: State; bare?: boolean }) {
  return <Badge tone={TONES[state]} {...(bare ? { bare } : {})}>{t(`state.${state}`)}</Badge>;
}
