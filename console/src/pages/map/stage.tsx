/** The drawing, to be moved, zoomed and walked through. */
import { signal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import { messages } from "../../i18n";
import { useKeys } from "../../keys";
import { IconButton } from "../../ui/button";
import { fitted, framing, showing, zoomed, type Camera } from "./camera";
import { Card } from "./card";
import { place, type Placed } from "./layout";
import { Legend } from "./legend";
import { texts } from "./messages";
import { cardOf, CARDS, chosen, direction, drawn, focused, lit, reveal, size, stories, uncovered } from "./model";
import { isArrow, walk } from "./walk";
import { Chips, Pulses, Wires } from "./wires";

const t = messages(texts);
const STEP = 1.25;
const MARGIN = 20;
/** Room for what stands below a card. */
const VERDICT = 44;

export function Stage() {
  const { nodes, edges } = drawn.value;
  const before = useRef<Placed | undefined>(undefined);
  const card = CARDS[direction.value];
  // Whether something is ready or not changes nothing about where it stands.
  const shape = `${direction.value} ${nodes.map((node) => node.id).join()} ${edges.map((edge) => edge.id).join()}`;
  const aspect = size.value.height > 0 ? size.value.width / size.value.height : 1.6;
  const placed = useMemo(() => {
    before.current = place(nodes, edges, { direction: direction.value, card, aspect }, before.current);
    return before.current;
  }, [shape, aspect > 1.2]);
  const view = useView(placed);
  const camera = view.camera.value;
  const reachable = useComputed(() => reachableOf(drawn.value.nodes.map((node) => node.id))).value;
  // A frame with the name of a namespace says it for all that is in it.
  const spaces = placed.groups.some((group) => group.title.includes(" + "));
  return (
    <div class="canvas" ref={view.window} role="group" aria-label={t("canvas")} onPointerDown={view.grab} onPointerMove={view.drag} onPointerUp={view.release} onPointerCancel={view.release} onKeyDown={(event) => pressed(event, placed, view)}>
      <div class={`world ${view.moved.value ? "" : "glide"}`} style={{ transform: `translate(${camera.x}px, ${camera.y}px) scale(${camera.k})` }}>
        {placed.groups.map((group) => group.title !== "" && <div key={group.title} class="group" style={{ transform: `translate(${group.x}px, ${group.y}px)`, width: `${group.width}px`, height: `${group.height}px` }}><span class="group-title cut">{group.title}</span></div>)}
        <Wires edges={edges} placed={placed} />
        <Pulses edges={edges} placed={placed} />
        {nodes.map((node) => {
          const at = placed.at.get(node.id);
          return at && <Card key={node.id} node={node} at={at} card={card} spaces={spaces} reachable={node.id === reachable} />;
        })}
        <Chips edges={edges} placed={placed} />
      </div>
      <div class={`zoom ${chosen.value === "" ? "" : "beside"}`} role="group" aria-label={t("view")}>
        <IconButton icon="plus" label={t("zoomIn")} onClick={() => view.zoom(STEP)} />
        <IconButton icon="minus" label={t("zoomOut")} onClick={() => view.zoom(1 / STEP)} />
        <IconButton icon="fit" label={t("fit")} onClick={view.fit} />
      </div>
      <Legend />
    </div>
  );
}

/** Tab comes to one card only; arrows do the rest. */
function reachableOf(ids: readonly string[]): string {
  const found = [focused.value, last.value, cardOf(chosen.value)].find((id) => ids.includes(id));
  return found ?? ids[0] ?? "";
}

/** The card that the keyboard was on last. */
const last = signal("");

function pressed(event: KeyboardEvent, placed: Placed, view: View): void {
  const id = (event.target as HTMLElement).dataset?.["node"];
  if (!id || !isArrow(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  const to = walk(id, event.key, placed.at, drawn.value.edges, direction.value);
  event.preventDefault();
  if (to === undefined) return;
  last.value = to;
  view.show(to);
  view.window.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(to)}"]`)?.focus({ preventScroll: true });
}

type View = ReturnType<typeof useView>;

function useView(placed: Placed) {
  const window = useRef<HTMLDivElement>(null);
  const camera = useRef(signal<Camera>({ x: 0, y: 0, k: 1 })).current;
  /** Whether a person has chosen what is seen; until then all of it is. */
  const moved = useRef(signal(false)).current;
  const pointers = useRef(new Map<number, { x: number; y: number }>()).current;
  const whole = { width: placed.width, height: placed.height };
  /** All of it, beside the panel where one is open. */
  const all = (): Camera => fitted(whole, uncovered(), direction.peek() === "down" ? 8 : MARGIN, direction.peek() === "down");
  const fit = (): void => {
    moved.value = false;
    camera.value = all();
  };
  const at = (event: MouseEvent): { x: number; y: number } => {
    const box = window.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const zoom = (by: number, point = { x: size.peek().width / 2, y: size.peek().height / 2 }): void => {
    moved.value = true;
    camera.value = zoomed(camera.value, by, point);
  };
  const show = (id: string): void => {
    const corner = placed.at.get(id);
    if (!corner) return;
    const whole = all();
    // All of it is seen on, unless that makes it much smaller because the panel has opened.
    const next = !moved.peek() && whole.k > 0.9 * camera.value.k ? whole : showing(camera.value, corner, CARDS[direction.peek()], uncovered(), MARGIN);
    if (next.x !== camera.value.x || next.y !== camera.value.y) camera.value = next;
  };
  useEffect(() => {
    if (!moved.value) fit();
  }, [placed, size.value.width, size.value.height]);
  useEffect(() => {
    const element = window.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(([entry]) => entry && (size.value = { width: entry.contentRect.width, height: entry.contentRect.height }));
    observer.observe(element);
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const point = at(event);
      // Two fingers on a pad move; a wheel, and a pinch (which comes with Ctrl), zoom.
      if (!event.ctrlKey && event.deltaMode === 0 && Math.abs(event.deltaX) > 0) {
        moved.value = true;
        camera.value = { ...camera.value, x: camera.value.x - event.deltaX, y: camera.value.y - event.deltaY };
      } else zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), point);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, []);
  useKeys([
    { keys: "+", label: () => t("keyIn"), run: () => zoom(STEP) },
    { keys: "-", label: () => t("keyOut"), run: () => zoom(1 / STEP) },
    { keys: "0", label: () => t("keyFit"), run: fit },
  ]);
  useSignalEffect(() => {
    reveal([chosen.value]);
    const id = cardOf(chosen.value);
    queueMicrotask(() => {
      if (id !== "") show(id);
      else if (!moved.peek()) fit();
    });
  });
  // A path that begins is brought into view once; then a person may look where they like.
  const followed = useRef("");
  useEffect(() => {
    const arrival = String(stories.value[0]?.arrival ?? "");
    const passed = [...(lit.value?.nodes.keys() ?? [])];
    // Where it came to nobody, who did not want it is what there is to see.
    const ids = (passed.length > 1 ? passed : [...passed, ...(lit.value?.verdicts.keys() ?? [])]).map(cardOf);
    const points = ids.map((id) => placed.at.get(id)).filter((point) => point !== undefined);
    if (arrival === followed.current || (arrival !== "" && (points.length === 0 || size.value.width === 0))) return;
    followed.current = arrival;
    if (arrival === "") return;
    const card = CARDS[direction.peek()];
    const [x, y] = [Math.min(...points.map((point) => point.x)), Math.min(...points.map((point) => point.y))];
    const part = { x, y, width: Math.max(...points.map((point) => point.x)) - x + card.width, height: Math.max(...points.map((point) => point.y)) - y + card.height + VERDICT };
    const next = framing(camera.peek(), part, size.peek(), MARGIN);
    if (next === camera.peek()) return;
    moved.value = true;
    camera.value = next;
  }, [placed, lit.value, size.value.width]);
  const grab = (event: PointerEvent): void => {
    if ((event.target as HTMLElement).closest("button, a, details") || event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
  };
  const drag = (event: PointerEvent): void => {
    const from = pointers.get(event.pointerId);
    if (!from) return;
    const to = at(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    moved.value = true;
    if (other) {
      const spread = (point: { x: number; y: number }): number => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
      camera.value = zoomed(camera.value, spread(to) / spread(from), other);
    } else camera.value = { ...camera.value, x: camera.value.x + to.x - from.x, y: camera.value.y + to.y - from.y };
    pointers.set(event.pointerId, to);
  };
  const release = (event: PointerEvent): void => {
    pointers.delete(event.pointerId);
  };
  return { window, camera, moved, fit, zoom, show, grab, drag, release };
}
