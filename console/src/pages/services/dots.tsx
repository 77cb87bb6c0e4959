import { messages } from "../../i18n";
import type { Instance } from "../../state/instances";
import { toneOf, type Tone } from "../../ui/badge";
import { texts } from "./messages";
import { counted } from "./words";

const t = messages(texts);
const MOST = 12;
const ORDER: readonly Tone[] = ["ready", "starting", "frozen", "failed", "gone"];

/** The instances of a service, a dot for each: its shape says its state as its color does. */
export function Dots({ instances, most = MOST }: { instances: readonly Instance[]; most?: number }) {
  const shown = [...instances].sort((one, other) => ORDER.indexOf(tone(one)) - ORDER.indexOf(tone(other))).slice(0, most);
  const label = said(instances);
  return (
    <span class="dots" role="img" aria-label={label} title={label}>
      {shown.map((each) => <span key={each.instance} class={`dot-of ${tone(each)}`} />)}
      {instances.length > shown.length && <span class="more">+{instances.length - shown.length}</span>}
      {instances.length === 0 && <span class="quiet">0</span>}
    </span>
  );
}

export function tone(instance: Pick<Instance, "state">): Tone {
  if (instance.state === "thawed") return "ready";
  if (instance.state === "waiting" || instance.state === "unready") return "failed";
  return instance.state === "completed" ? "gone" : toneOf(instance.state);
}

function said(instances: readonly Instance[]): string {
  const { ready, starting, frozen, failed, leaving } = counted(instances);
  const parts = [
    ready ? t("nReady", { n: ready }) : "",
    starting ? t("nStarting", { n: starting }) : "",
    frozen ? t("nFrozen", { n: frozen }) : "",
    failed ? t("nFailed", { n: failed }) : "",
    leaving ? t("nLeaving", { n: leaving }) : "",
  ].filter((each) => each !== "");
  return parts.length === 0 ? t("noInstances") : parts.join(", ");
}
