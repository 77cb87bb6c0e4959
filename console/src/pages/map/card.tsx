/** One object: what it is, how it is, and what goes on in it. */
import { useComputed, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";

import { messages } from "../../i18n";
import type { GraphNode } from "../../state/graph";
import { flow } from "../../state/flow";
import { toneOf } from "../../state/instances";
import type { Tone } from "../../ui/badge";
import { Dots as Drawn } from "../../ui/dots";
import { counted, type Counts } from "./flows";
import { kindText, Sign } from "./kinds";
import type { Point, Size } from "./layout";
import { texts } from "./messages";
import { beat, byService, choose, chosen, drawn, flows, focused, lit, pointed, seconds } from "./model";
import { still } from "./motion";

const t = messages(texts);

/** Instances that are drawn one by one; of more the number is told. */
const DOTS = 9;

interface Props {
  node: GraphNode;
  at: Point;
  card: Size;
  /** Whether the namespace is to be told. */
  spaces: boolean;
  /** Whether Tab comes here. */
  reachable: boolean;
}

export function Card({ node, at, card, spaces, reachable }: Props) {
  const element = useRef<HTMLButtonElement>(null);
  const selected = useComputed(() => chosen.value === node.id).value;
  const light = useComputed(() => (lit.value ? (lit.value.nodes.get(node.id) ?? "aside") : "")).value;
  const verdict = useComputed(() => lit.value?.verdicts.get(node.id)).value;
  const busy = useComputed(() => beat.value >= 0 && flows.flooded(inflowOf(node), seconds())).value;
  const folded = useComputed(() => drawn.value.folded.get(node.id)).value;
  const living = useComputed(() => (node.kind === "Service" ? (byService.value.get(node.id)?.length ?? 0) : null)).value;
  useSignalEffect(() => {
    if (arrived(node, flow.value.counts) && !flows.flooded(inflowOf(node), seconds())) flash(element.current);
  });
  const classes = ["card", `is-${node.role}`, node.missing ? "missing" : "", selected ? "selected" : "", busy ? "busy" : "", light === "aside" && verdict ? "" : light];
  const kind = kindText(node.kind);
  const state = stateText(node);
  const counted = living === null ? "" : t("instances", { n: living });
  return (
    <div class="place" style={{ transform: `translate(${at.x}px, ${at.y}px)`, width: `${card.width}px` }}>
      <button
        ref={element}
        type="button"
        class={classes.filter(Boolean).join(" ")}
        style={{ height: `${card.height}px` }}
        data-node={node.id}
        tabIndex={reachable ? 0 : -1}
        aria-pressed={selected}
        title={[`${kind} ${node.namespace ? `${node.namespace}/` : ""}${node.name}`, node.reason && `${node.reason}: ${node.message}`].filter(Boolean).join("\n")}
        onClick={() => choose(selected ? null : node)}
        onFocus={() => (focused.value = node.id)}
        onBlur={() => (focused.value = focused.peek() === node.id ? "" : focused.peek())}
        onPointerEnter={() => (pointed.value = node.id)}
        onPointerLeave={() => (pointed.value = "")}
      >
        <Sign node={node} />
        <span class="card-text">
          <span class="card-name cut">{node.kind === "URI" ? node.name.replace(/^https?:\/\//, "") : node.name}</span>
          <span class="card-kind cut">
            {node.kind === "URI" ? t("external") : kind}
            {node.namespace && node.kind !== "Namespace" && <span class={spaces ? "" : "unseen"}> · {node.namespace}</span>}
            <span class="unseen">{[state, counted].filter(Boolean).join(", ")}</span>
          </span>
          <span class="card-line">
            {folded ? <span class="cut">{t("folded", { n: folded.objects })}{folded.failing > 0 && ` · ${t("failing", { n: folded.failing })}`}</span> : node.kind === "Service" && !node.missing ? <Dots id={node.id} /> : <span class="cut detail">{lineOf(node)}</span>}
            <Traffic node={node} />
          </span>
        </span>
        <State node={node} />
      </button>
      {verdict && <p class={`verdict ${verdict.matched ? "matched" : ""}`}><span aria-hidden="true">{verdict.matched ? "✓" : "✕"}</span> <span class="unseen">{verdict.matched ? t("wanted") : t("unwanted")}: </span>{verdict.text}</p>}
    </div>
  );
}

function stateText(node: GraphNode): string {
  if (node.missing) return t("missing");
  if (node.ready === "") return "";
  return node.ready === "True" ? "Ready" : node.reason || node.ready;
}

/** The third line, where there are no instances to show. */
function lineOf(node: GraphNode): string {
  if (node.missing) return t("missing");
  if (node.ready !== "True" && node.ready !== "" && node.reason) return node.reason;
  return node.detail || (node.kind === "Trigger" ? t("everything") : "");
}

function State({ node }: { node: GraphNode }) {
  if (node.ready === "" && !node.missing) return null;
  const tone: Tone = node.missing || node.ready === "False" ? "failed" : node.ready === "True" ? "ready" : "starting";
  return <span class={`state ${tone}`} aria-hidden="true">{tone === "failed" ? "▲" : tone === "starting" ? "◐" : "●"}</span>;
}

/** The instances of a service, as they come, warm up, freeze and go. */
function Dots({ id }: { id: string }) {
  const all = useComputed(() => byService.value.get(id) ?? []).value;
  if (all.length === 0) return <span class="detail cut">○ {t("zero")}</span>;
  return (
    <span class="dots" aria-hidden="true">
      <Drawn most={DOTS} dots={all.map((each) => ({ key: each.instance, tone: toneOf(each.state), title: `${each.instance}\n${[each.state, each.why, each.reason].filter(Boolean).join(" · ")}` }))} />
    </span>
  );
}

/** What comes from elsewhere, where no edge shows it. */
function Traffic({ node }: { node: GraphNode }) {
  const text = useComputed(() => (beat.value < 0 ? "" : counted(flows.sum(inflowOf(node), seconds()), (rate) => t("perSecond", { rate })))).value;
  return text === "" ? null : <span class="traffic"><span class="unseen">{node.kind === "Service" ? t("requestsSeen") : t("eventsSeen")}: </span>{text}</span>;
}

/** The keys that count it. */
function inflowOf(node: GraphNode): readonly string[] {
  if (node.kind === "Service") return [`${node.id}|requests`];
  return node.inbox === "" ? [] : flows.under(`${node.inbox}|in:`);
}

function arrived(node: GraphNode, counts: Counts): boolean {
  return inflowOf(node).some((key) => key in counts);
}

/** A short glow, which says that something has just come; as it only fades, no frame is painted. */
function flash(element: HTMLElement | null): void {
  if (!element || still()) return;
  element.animate([{ opacity: 1 }, { opacity: 0 }], { duration: 500, easing: "ease-out", pseudoElement: "::after" });
}
