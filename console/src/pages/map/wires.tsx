/** The ways between cards, with what goes along them. */
import { useComputed, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";

import { short } from "../../format";
import { language, messages } from "../../i18n";
import { flow } from "../../state/flow";
import type { GraphEdge } from "../../state/graph";
import { counted, type Sum } from "./flows";
import type { Placed } from "./layout";
import { texts } from "./messages";
import { beat, direction, flows, lit, pointed, seconds, touches } from "./model";
import { still } from "./motion";
import type { Way } from "./ways";

const t = messages(texts);

/** Dots that move at once: more than these tell nothing more. */
const MOST_DOTS = 60;
/** Of one edge, for one message of the feed. */
const AT_ONCE = 3;
const APART = 110;
const JOURNEY = 850;

/** A count stands beside its line, which is short, and on which dots run. */
const BESIDE = { right: "translate(-50%, -22px)", down: "translate(6px, -50%)" } as const;

const ENDS = ["plain", "strong", "passed", "failed", "waiting", "dead"] as const;

export function Wires({ edges, placed }: { edges: readonly GraphEdge[]; placed: Placed }) {
  return (
    <svg class="wires" width={placed.width} height={placed.height} aria-hidden="true" focusable="false">
      <defs>
        {ENDS.map((end) => (
          <marker key={end} id={`end-${end}`} class={`end ${end}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
            <path d="M0.5 0.5 7.5 4 0.5 7.5z" />
          </marker>
        ))}
      </defs>
      {edges.map((edge) => {
        const way = placed.ways.get(edge.id);
        return way && <Wire key={edge.id} edge={edge} way={way} />;
      })}
    </svg>
  );
}

function sumOf(edge: GraphEdge): Sum {
  return flows.sum(edge.flows, seconds());
}

function Wire({ edge, way }: { edge: GraphEdge; way: Way }) {
  const path = useRef<SVGPathElement>(null);
  const light = useComputed(() => (lit.value ? (lit.value.edges.get(edge.id) ?? "aside") : "")).value;
  const near = useComputed(() => touches(edge)).value;
  const used = useComputed(() => beat.value >= 0 && sumOf(edge).count > 0).value;
  useSignalEffect(() => {
    if (still() && path.current && edge.flows.some((key) => key in flow.value.counts)) glimmer(path.current);
  });
  // Every Trigger may be answered; a line for each would hide the ones that are.
  if (edge.role === "replies" && edge.label === "" && !used && !near && (light === "" || light === "aside")) return null;
  const end = light === "passed" && edge.role === "dead-letters" ? "failed" : light === "passed" || light === "failed" || light === "waiting" ? light : near ? "strong" : edge.role === "dead-letters" ? "dead" : "plain";
  return (
    <g class={`wire ${edge.role} ${light} ${near ? "near" : ""}`}>
      <path ref={path} class="line" d={way.d} marker-end={`url(#end-${end})`} />
      <path class="hit" d={way.d} onPointerEnter={() => (pointed.value = edge.id)} onPointerLeave={() => (pointed.value = "")}>
        <title>{titleOf(edge)}</title>
      </path>
    </g>
  );
}

function titleOf(edge: GraphEdge): string {
  return [edge.label, edge.shared ? t("shared") : ""].filter(Boolean).join("\n");
}

/** Where nothing may move, the line lights up instead. */
function glimmer(line: SVGPathElement): void {
  line.classList.add("lit");
  setTimeout(() => line.classList.remove("lit"), 700);
}

/** Counts in the middle of each way, above the lines; the label where somebody looks. */
export function Chips({ edges, placed }: { edges: readonly GraphEdge[]; placed: Placed }) {
  return (
    <>
      {edges.map((edge) => {
        const way = placed.ways.get(edge.id);
        return way && <Chip key={edge.id} edge={edge} way={way} />;
      })}
    </>
  );
}

/** How an event fared on a way, for who does not tell the colors apart. */
const MARKS: Readonly<Record<string, string>> = { passed: "✓", failed: "▲", waiting: "◐" };

function Chip({ edge, way }: { edge: GraphEdge; way: Way }) {
  const text = useComputed(() => {
    if (beat.value < 0) return "";
    return counted(sumOf(edge), (rate) => t("perSecond", { rate }));
  }).value;
  const failed = useComputed(() => (beat.value < 0 ? 0 : sumOf(edge).failed)).value;
  const near = useComputed(() => touches(edge) || pointed.value === edge.id).value;
  const aside = useComputed(() => lit.value !== null && !lit.value.edges.has(edge.id)).value;
  const mark = useComputed(() => MARKS[lit.value?.edges.get(edge.id) ?? ""] ?? "").value;
  const label = near && edge.role !== "subscribes" ? edge.label : "";
  if (text === "" && label === "" && mark === "") return null;
  return (
    <span class={`count ${edge.role} ${aside ? "aside" : ""}`} style={{ transform: `translate(${way.middle.x}px, ${way.middle.y}px) ${BESIDE[direction.value]}` }}>
      {mark && <span class={`mark ${lit.value?.edges.get(edge.id) ?? ""}`}>{mark}</span>}
      {label && <span class="count-label">{label}</span>}
      {text}
      {failed > 0 && <span class="count-failed" title={t("failedOf", { n: failed })}>▲{short(failed, language.value)}</span>}
    </span>
  );
}

/** Dots that run along the ways as events and requests do. */
export function Pulses({ edges, placed }: { edges: readonly GraphEdge[]; placed: Placed }) {
  const layer = useRef<HTMLDivElement>(null);
  const now = useRef({ edges, placed });
  now.current = { edges, placed };
  useSignalEffect(() => {
    const { counts } = flow.value;
    if (!layer.current || still()) return;
    for (const edge of now.current.edges) {
      const way = now.current.placed.ways.get(edge.id);
      if (way) run(layer.current, edge, way, counts);
    }
  });
  return <div ref={layer} class="pulses" aria-hidden="true" />;
}

function run(layer: HTMLElement, edge: GraphEdge, way: Way, counts: Readonly<Record<string, readonly [number, number]>>): void {
  let [count, failed] = [0, 0];
  for (const key of edge.flows) {
    count += counts[key]?.[0] ?? 0;
    failed += counts[key]?.[1] ?? 0;
  }
  for (let index = 0; index < Math.min(count, AT_ONCE) && layer.childElementCount < MOST_DOTS; index += 1) {
    const dot = document.createElement("i");
    dot.className = index < failed ? "pulse failed" : `pulse ${edge.role}`;
    dot.style.setProperty("offset-path", `path("${way.d}")`);
    layer.append(dot);
    const journey = dot.animate(
      [{ offsetDistance: "0%", opacity: 0 }, { opacity: 1, offset: 0.12 }, { opacity: 1, offset: 0.88 }, { offsetDistance: "100%", opacity: 0 }],
      { duration: JOURNEY, delay: index * APART, easing: "cubic-bezier(.45,.05,.55,.95)", fill: "backwards" },
    );
    journey.onfinish = () => dot.remove();
    journey.oncancel = () => dot.remove();
  }
}
