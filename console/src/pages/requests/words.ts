/** Words of the server that this page has translations of. */
import { messages } from "../../i18n";
import { texts } from "./messages";

export const t = messages(texts);

/** In the order in which they follow each other. */
export const STAGES = ["queued", "prepare", "create", "thaw", "ready", "hand over", "app", "body"] as const;
const WAYS = ["forked", "spawned", "container", "thawed"] as const;

export function stageName(name: string): string {
  const known = STAGES.find((each) => each === name);
  return known ? t(`stage ${known}`) : name;
}

export function way(how: string): string {
  const known = WAYS.find((each) => each === how);
  return known ? t(known) : how;
}

/** The class that colors a stage. */
export const stageClass = (name: string): string => `stage-${STAGES.some((each) => each === name) ? name.replace(" ", "-") : "queued"}`;
