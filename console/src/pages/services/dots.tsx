import { messages } from "../../i18n";
import { toneOf, type Instance } from "../../state/instances";
import type { Tone } from "../../ui/badge";
import { Dots as Drawn } from "../../ui/dots";
import { texts } from "./messages";
import { counted } from "./words";

const t = messages(texts);
const MOST = 12;
const ORDER: readonly Tone[] = ["ready", "starting", "frozen", "failed", "gone"];

/** The instances of a service, a dot for each, those that serve first. */
export function Dots({ instances, most = MOST }: { instances: readonly Instance[]; most?: number }) {
  const dots = instances.map((each) => ({ key: each.instance, tone: toneOf(each.state) })).sort((one, other) => ORDER.indexOf(one.tone) - ORDER.indexOf(other.tone));
  const label = said(instances);
  return (
    <span class="dots" role="img" aria-label={label} title={label}>
      <Drawn dots={dots} most={most} />
      {instances.length === 0 && <span class="quiet">0</span>}
    </span>
  );
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
