/** The ways between cards, with what goes along them. */
import { useComputed, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";

import { short } from "../../format";
import { language, messages } from "../../i18n";
import { flow } from "../../state/flow";
import type { GraphEdge } from "../../state/graph";
import { counted, type Counts, type Sum } from "./flows";
import type { Placed } from "./layout";
import { texts } from "./messages";
import { beat, direction, flows, lit, pointed, seconds, touches } from "./model";
import { still } from "./motion";
import type { Way } from "./ways";

const t = messages(texts);

/** Dots that move at once: more than these tell nothing more. */
const MOST_DOTS = 12;
/** Of one edge, for one message of the feed. */
const AT_ONCE = 3;
const APART = 110;
const JOURNEY = 850;
/** Places that a dot is told to pass; between them it goes straight. */
const STEPS = 16;
/** Half of a dot, in pixels. */
const RADIUS = 4.5;

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
  const busy = useComputed(() => beat.value >= 0 && flows.flooded(edge.flows, seconds())).value;
  useSignalEffect(() => {
    const { counts } = flow.value;
    if (still() && !document.hidden && path.current && edge.flows.some((key) => key in counts) && !flows.flooded(edge.flows, seconds())) glimmer(path.current);
  });
  // Every Trigger may be answered; a line for each would hide the ones that are.
  if (edge.role === "replies" && edge.label === "" && !used && !near && (light === "" || light === "aside")) return null;
  const end = light === "passed" && edge.role === "dead-letters" ? "failed" : light === "passed" || light === "failed" || light === "waiting" ? light : near ? "strong" : edge.role === "dead-letters" ? "dead" : "plain";
  return (
    <g class={`wire ${edge.role} ${light} ${near ? "near" : ""} ${busy ? "busy" : ""}`}>
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

/** Dots that run along the ways as events and requests do; a flood of them is not drawn. */
export function Pulses({ edges, placed }: { edges: readonly GraphEdge[]; placed: Placed }) {
  const layer = useRef<HTMLDivElement>(null);
  const now = useRef({ edges, placed });
  now.current = { edges, placed };
  useSignalEffect(() => {
    const { counts } = flow.value;
    if (!layer.current || still() || flows.inAll(seconds())) return;
    run(layer.current, now.current.edges, now.current.placed, counts);
  });
  return <div ref={layer} class="pulses" aria-hidden="true" />;
}

/** The first of every way, then the second of each, as long as there is room. */
function run(layer: HTMLElement, edges: readonly GraphEdge[], placed: Placed, counts: Counts): void {
  const told = edges.flatMap((edge) => {
    const [count, failed] = sumOfMessage(edge, counts);
    const way = placed.ways.get(edge.id);
    return way && count > 0 && !flows.flooded(edge.flows, seconds()) ? [{ edge, way, count, failed }] : [];
  });
  for (let index = 0; index < AT_ONCE; index += 1) {
    for (const { edge, way, count, failed } of told) {
      if (layer.childElementCount >= MOST_DOTS) return;
      if (index < count) start(layer, way, index < failed ? "failed" : edge.role, index * APART);
    }
  }
}

function sumOfMessage(edge: GraphEdge, counts: Counts): [number, number] {
  let [count, failed] = [0, 0];
  for (const key of edge.flows) {
    count += counts[key]?.[0] ?? 0;
    failed += counts[key]?.[1] ?? 0;
  }
  return [count, failed];
}

function start(layer: HTMLElement, way: Way, kind: string, delay: number): void {
  const dot = document.createElement("i");
  dot.className = `pulse ${kind}`;
  layer.append(dot);
  const journey = dot.animate(journeyOf(way), { duration: JOURNEY, delay, easing: "cubic-bezier(.45,.05,.55,.95)", fill: "backwards" });
  journey.onfinish = () => dot.remove();
  journey.oncancel = () => dot.remove();
}

const journeys = new WeakMap<Way, Keyframe[]>();

/** What moves by `transform` and fades by `opacity` is not painted anew for each frame, as it would be
 * along an `offset-path`. */
function journeyOf(way: Way): Keyframe[] {
  const found = journeys.get(way);
  if (found) return found;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", way.d);
  const length = line.getTotalLength();
  const steps = Array.from({ length: STEPS + 1 }, (_, step) => {
    const { x, y } = line.getPointAtLength((length * step) / STEPS);
    return { transform: `translate(${x - RADIUS}px, ${y - RADIUS}px)`, opacity: step === 0 || step === STEPS ? 0 : 1 };
  });
  journeys.set(way, steps);
  return steps;
}
