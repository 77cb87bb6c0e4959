import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { messages } from "../i18n";
import { Icon } from "./icon";
import { texts } from "./messages";
import { anchored, slotted, towards, windowOf } from "./window";
import "./table.css";

const t = messages(texts);
const HEIGHT = 36;
const PAGE = 10;

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  readonly render: (row: T) => ComponentChildren;
  readonly number?: boolean;
  /** As CSS has it: "120px", "30%". */
  readonly width?: string;
  /** Left out where there is little room: below 720 px, or already below 1100 px. */
  readonly hide?: "narrow" | "medium";
  /** The title is read aloud only. */
  readonly bare?: boolean;
  readonly sortable?: boolean;
}

export interface Sort {
  readonly key: string;
  readonly down: boolean;
}

interface TableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** Enter or a click on a row. */
  onOpen?: (row: T) => void;
  /** The key of the row whose details are shown. */
  selected?: string | undefined;
  /** What is said instead of rows. */
  empty?: ComponentChildren;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  rowClass?: (row: T) => string | undefined;
  /** Rows come and go quickly and their cells remember nothing: those that come are drawn by the
   * elements of those that have gone. */
  flowing?: boolean;
}

/** Rows to look through: arrows, Home, End and Page keys go from row to row, Enter opens one. Of a
 * long list only what is seen is drawn, and rows that come in above do not move what is read. */
export function Table<T>({ label, columns, rows, rowKey, onOpen, selected, empty, sort, onSort, rowClass, flowing = false }: TableProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const keys = rows.map(rowKey);
  const before = useRef<readonly string[]>(keys);
  const [scroll, setScroll] = useState({ top: 0, seen: 600 });
  const [focus, setFocus] = useState<string | null>(null);
  const wanted = useRef(false);
  const slots = useRef<ReadonlyMap<string, number>>(new Map());

  useLayoutEffect(() => {
    const element = box.current;
    const had = before.current;
    before.current = keys;
    // To ask how far it is scrolled has everything laid out at once.
    if (!element || scroll.top <= 0) return;
    const top = anchored(had, keys, HEIGHT, element.scrollTop);
    if (top !== element.scrollTop) element.scrollTop = top;
  });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => setScroll({ top: element.scrollTop, seen: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (!wanted.current || focus === null) return;
    wanted.current = false;
    box.current?.querySelector<HTMLElement>(`tr[data-row="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  });

  const reached = keys.indexOf(focus ?? "") >= 0 ? keys.indexOf(focus ?? "") : Math.max(0, keys.indexOf(selected ?? ""));
  const goTo = (index: number): void => {
    const next = Math.max(0, Math.min(keys.length - 1, index));
    const element = box.current;
    const key = keys[next];
    if (!element || key === undefined) return;
    const head = element.querySelector("thead")?.clientHeight ?? 0;
    const top = towards(next, HEIGHT, element.scrollTop, element.clientHeight - head);
    if (top !== null) element.scrollTop = top;
    wanted.current = true;
    setScroll({ top: element.scrollTop, seen: element.clientHeight });
    setFocus(key);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!(event.target instanceof HTMLElement) || !event.target.dataset["row"]) return;
    const row = rows[reached];
    switch (event.key) {
      case "ArrowDown": case "j": goTo(reached + 1); break;
      case "ArrowUp": case "k": goTo(reached - 1); break;
      case "PageDown": goTo(reached + PAGE); break;
      case "PageUp": goTo(reached - PAGE); break;
      case "Home": goTo(0); break;
      case "End": goTo(keys.length - 1); break;
      case "Enter": case " ": if (row !== undefined) onOpen?.(row); break;
      default: return;
    }
    event.preventDefault();
  };

  const { first, end } = windowOf(rows.length, HEIGHT, scroll.top, scroll.seen);
  if (flowing) slots.current = slotted(slots.current, keys.slice(first, end), focus);
  return (
    <div class="table-box panel" ref={box} onScroll={(event) => setScroll({ top: event.currentTarget.scrollTop, seen: event.currentTarget.clientHeight })}>
      <table class={`table${onOpen ? " opens" : ""}`} role="grid" aria-label={label} aria-rowcount={rows.length + 1} onKeyDown={onKeyDown}>
        <colgroup>{columns.map((column) => <col key={column.key} class={column.hide} style={column.width ? { width: column.width } : {}} />)}</colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column.key} scope="col" class={classOf(column)} aria-sort={sort?.key === column.key ? (sort.down ? "descending" : "ascending") : undefined}>
                {column.sortable && onSort ? (
                  <button type="button" aria-label={t("sorted", { title: column.title })} onClick={() => onSort({ key: column.key, down: sort?.key === column.key ? !sort.down : false })}>
                    {column.title}
                    {sort?.key === column.key && <span class={sort.down ? "" : "up"}><Icon name="down" size={10} /></span>}
                  </button>
                ) : (
                  <span class={column.bare ? "unseen" : undefined}>{column.title}</span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden="true" class="space" style={{ height: `${first * HEIGHT}px` }}><td /></tr>}
          {rows.slice(first, end).map((row, offset) => {
            const key = keys[first + offset] ?? "";
            return (
              <tr
                key={slots.current.get(key) ?? key}
                data-row={key}
                class={rowClass?.(row)}
                aria-rowindex={first + offset + 2}
                aria-selected={selected === undefined ? undefined : key === selected}
                tabIndex={first + offset === reached ? 0 : -1}
                onFocus={() => setFocus(key)}
                onClick={(event) => {
                  if (!ofItsOwn(event)) onOpen?.(row);
                }}
              >
                {columns.map((column) => <td key={column.key} class={classOf(column)}>{column.render(row)}</td>)}
              </tr>
            );
          })}
          {end < rows.length && <tr aria-hidden="true" class="space" style={{ height: `${(rows.length - end) * HEIGHT}px` }}><td /></tr>}
        </tbody>
      </table>
      {rows.length === 0 && empty}
    </div>
  );
}

function classOf<T>(column: Column<T>): string | undefined {
  return [column.number ? "number" : "", column.hide ?? ""].filter(Boolean).join(" ") || undefined;
}

/** Whether a click means something in the row, or selects text, rather than the row. */
function ofItsOwn(event: MouseEvent): boolean {
  const inside = event.target instanceof Element && event.target.closest("a, button, input, select, label") !== null;
  return inside || (getSelection()?.toString() ?? "") !== "";
}
