/** Tens of thousands of lines, of which only those in sight are drawn. */
import type { RefObject, VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { clock, full } from "../../format";
import { language } from "../../i18n";
import { href } from "../../router";
import { Icon } from "../../ui/icon";
import { pieces } from "./ansi";
import { cells, FOLDED_FROM, indexOf, lineAt, offsets, type Group, type Line, type Lines } from "./lines";
import { t } from "./words";

const HEIGHT = 20;
/** Lines drawn beyond those in sight. */
const BEYOND = 20;
const PAGE = 20;
/** What is drawn is looked at again after so many pixels: far fewer than are drawn beyond. */
const STEP = 100;
/** How near the end counts as being there, in pixels. */
const NEAR = 24;

/** Columns of text that a button and a link are as wide as. */
const FOLD_CELLS = 10;
const LINK_CELLS = 5;

const SHAPES = { error: "▲", warning: "◆", info: "●", debug: "○" } as const;

interface ViewProps {
  lines: Lines;
  version: number;
  wrap: boolean;
  needle: string;
  following: boolean;
  onFollow: (on: boolean) => void;
  onOpen: (line: Line) => void;
  onToggle: (head: number) => void;
  /** The number of the line that is looked at, which is scrolled to when it changes. */
  marked: number | null;
}

export function View({ lines, version, wrap, needle, following, onFollow, onOpen, onToggle, marked }: ViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const ruler = useRef<HTMLSpanElement>(null);
  const widths = useRef(new WeakMap<Line, number>());
  const [size, setSize] = useState({ seen: 600, columns: 100 });
  const [top, setTop] = useState(0);
  const [reached, setReached] = useState<number | null>(null);
  const anchor = useRef({ number: 0, within: 0 });
  const wanted = useRef(false);
  const drawn = useRef(new Map<number, { of: string; node: VNode }>());
  const act = useRef({ onOpen, onToggle, onFocus: setReached });
  act.current = { onOpen, onToggle, onFocus: setReached };

  const shown = lines.shown;
  const at = useMemo(() => {
    const rows = (line: Line): number => {
      if (!wrap) return 1;
      let width = widths.current.get(line);
      if (width === undefined) widths.current.set(line, (width = cells(line.row.text)));
      const group = line.head === line.number ? lines.group(line.number) : undefined;
      // What stands beside the text of this line takes room from it.
      const beside = (group && foldable(group, line) ? FOLD_CELLS : 0) + (line.row.request ? LINK_CELLS : 0);
      if (group && lines.folded(line.number)) width += 1 + cells(group.last.row.text.trim());
      // What is wider than a column may leave the last one of a row empty.
      const lost = width === line.row.text.length ? 0 : 1;
      return Math.max(1, Math.ceil(width / Math.max(10, size.columns - beside - lost)));
    };
    return offsets(shown, rows);
  }, [shown, wrap, size.columns]);
  const total = (at[shown.length] ?? 0) * HEIGHT;

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => {
      const cell = element.querySelector(".log-head .text");
      const width = (ruler.current?.getBoundingClientRect().width ?? 72) / 10;
      const room = cell?.getBoundingClientRect().width ?? element.clientWidth;
      setSize({ seen: element.clientHeight, columns: Math.max(20, Math.floor(room / width)) });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  // What is read stays where it is, whatever comes or goes above it; or the end is followed.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (following) element.scrollTop = element.scrollHeight;
    else {
      const index = indexOf(shown, anchor.current.number);
      const there = (at[index] ?? 0) * HEIGHT + anchor.current.within;
      if (Math.abs(there - element.scrollTop) > 1) element.scrollTop = there;
    }
    setTop(stepped(element));
  }, [version, wrap, size, following]);

  useEffect(() => {
    const element = box.current;
    if (!element || marked === null) return;
    const there = Math.max(0, (at[indexOf(shown, marked)] ?? 0) * HEIGHT - element.clientHeight / 3);
    element.scrollTop = there;
    noted(element);
  }, [marked]);

  useLayoutEffect(() => {
    if (!wanted.current || reached === null) return;
    wanted.current = false;
    box.current?.querySelector<HTMLElement>(`[data-line="${reached}"]`)?.focus({ preventScroll: true });
  });

  function noted(element: HTMLElement): void {
    const index = lineAt(at, element.scrollTop / HEIGHT);
    anchor.current = { number: shown[index]?.number ?? 0, within: element.scrollTop - (at[index] ?? 0) * HEIGHT };
    setTop(stepped(element));
  }

  const onScroll = (): void => {
    const element = box.current;
    if (!element) return;
    noted(element);
    const end = element.scrollTop + element.clientHeight >= element.scrollHeight - NEAR;
    if (end !== following) onFollow(end);
  };

  const first = Math.max(0, lineAt(at, top / HEIGHT) - BEYOND);
  const last = Math.min(shown.length, lineAt(at, (top + size.seen) / HEIGHT) + BEYOND + 1);
  const current = Math.max(0, reached === null ? shown.length - 1 : Math.min(shown.length - 1, indexOf(shown, reached)));

  const goTo = (index: number): void => {
    const element = box.current;
    const line = shown[Math.max(0, Math.min(shown.length - 1, index))];
    if (!element || !line) return;
    const begin = (at[indexOf(shown, line.number)] ?? 0) * HEIGHT;
    const end = (at[indexOf(shown, line.number) + 1] ?? 0) * HEIGHT;
    const room = element.clientHeight - HEIGHT * 1.5;
    if (begin < element.scrollTop) element.scrollTop = begin;
    else if (end > element.scrollTop + room) element.scrollTop = end - room;
    wanted.current = true;
    setReached(line.number);
    onScroll();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!(event.target instanceof HTMLElement) || event.target.dataset["line"] === undefined) return;
    const line = shown[current];
    switch (event.key) {
      case "ArrowDown": case "j": goTo(current + 1); break;
      case "ArrowUp": case "k": goTo(current - 1); break;
      case "PageDown": goTo(current + PAGE); break;
      case "PageUp": goTo(current - PAGE); break;
      case "Home": goTo(0); break;
      case "End": goTo(shown.length - 1); break;
      case "Enter": if (line) onOpen(line); break;
      case "ArrowRight": case "ArrowLeft": if (line && lines.group(line.head)) onToggle(line.head); break;
      default: return;
    }
    event.preventDefault();
  };

  // A line that is drawn as before is the same node, which costs nothing: scrolling draws new ones only.
  const before = drawn.current;
  drawn.current = new Map();
  const nodeOf = (line: Line, index: number): VNode => {
    const rows = (at[index + 1] ?? 0) - (at[index] ?? 0);
    const group = line.head === line.number ? lines.group(line.number) : undefined;
    const folded = lines.folded(line.number);
    const of = JSON.stringify([index, rows, needle, group?.parts, folded, index === current, line.number === marked, language.value]);
    const known = before.get(line.number);
    const node =
      known?.of === of ? known.node : (
        <Drawn key={line.number} line={line} index={index} rows={rows} needle={needle} group={group} folded={folded} current={index === current} marked={line.number === marked} act={act} />
      );
    drawn.current.set(line.number, { of, node });
    return node;
  };

  return (
    <div class={`log panel${wrap ? " wraps" : ""}`} ref={box} onScroll={onScroll} role="grid" aria-label={t("title")} aria-rowcount={shown.length + 1} aria-colcount={5} onKeyDown={onKeyDown}>
      <div class="log-head log-line" role="row" aria-rowindex={1}>
        <span role="columnheader" class="time">{t("time")}</span>
        <span role="columnheader" class="level"><span class="unseen">{t("level")}</span></span>
        <span role="columnheader" class="source">{t("source")}</span>
        <span role="columnheader" class="text">{t("text")}<span class="ruler" ref={ruler} aria-hidden="true">0000000000</span></span>
        <span role="columnheader" class="link"><span class="unseen">{t("request")}</span></span>
      </div>
      <div class="log-space" role="presentation" style={{ height: `${total}px` }}>
        <div role="presentation" style={{ transform: `translateY(${(at[first] ?? 0) * HEIGHT}px)` }}>
          {shown.slice(first, last).map((line, offset) => nodeOf(line, first + offset))}
        </div>
      </div>
    </div>
  );
}

interface DrawnProps {
  line: Line;
  index: number;
  rows: number;
  needle: string;
  group: Group | undefined;
  folded: boolean;
  current: boolean;
  marked: boolean;
  act: RefObject<{ onFocus: (number: number) => void; onOpen: (line: Line) => void; onToggle: (head: number) => void }>;
}

const foldable = (group: Group, line: Line): boolean => group.parts >= FOLDED_FROM && line.row.level === "error";

const stepped = (element: HTMLElement): number => Math.floor(element.scrollTop / STEP) * STEP;

function Drawn({ line, index, rows, needle, group, folded, current, marked, act }: DrawnProps) {
  const { row } = line;
  const when = Date.parse(row.at);
  const part = line.head !== line.number;
  return (
    <div
      class={`log-line is-${row.level}${part ? " part" : ""}${marked ? " marked" : ""}`}
      role="row"
      aria-rowindex={index + 2}
      data-line={line.number}
      tabIndex={current ? 0 : -1}
      style={{ height: `${rows * HEIGHT}px` }}
      onFocus={() => act.current?.onFocus(line.number)}
      onClick={(event) => {
        const inside = event.target instanceof Element && event.target.closest("a, button") !== null;
        if (!inside && (getSelection()?.toString() ?? "") === "") act.current?.onOpen(line);
      }}
    >
      <span role="gridcell" class="time" title={full(when, language.value)}>{clock(when).slice(0, 8)}<span class="fraction">{clock(when).slice(8)}</span></span>
      <span role="gridcell" class="level"><span aria-hidden="true">{part ? "" : SHAPES[row.level]}</span><span class="unseen">{t(row.level)}</span></span>
      <span role="gridcell" class="source" title={`${row.namespace}/${row.instance}${row.container ? ` ${row.container}` : ""}`}>{row.service}<span class="quiet"> {row.instance.split("-").at(-1)}</span></span>
      <span role="gridcell" class="text">
        {pieces(row.text, needle).map((piece, number) => {
          const classes = piece.classes.join(" ");
          if (piece.hit) return <mark key={number} class={classes}>{piece.text}</mark>;
          return classes === "" ? piece.text : <span key={number} class={classes}>{piece.text}</span>;
        })}
        {group && folded && <span class="quiet last"> {group.last.row.text.trim()}</span>}
      </span>
      <span role="gridcell" class="link">
        {group && foldable(group, line) && (
          <button type="button" class="log-fold" tabIndex={-1} aria-expanded={!folded} onClick={() => act.current?.onToggle(line.number)}>{folded ? t("unfold", { n: group.parts }) : t("fold")}</button>
        )}
        {row.request !== "" && <a href={href("requests", [row.request])} tabIndex={-1} aria-label={t("toRequest")} title={t("toRequest")}><Icon name="requests" size={14} /></a>}
      </span>
    </div>
  );
}
