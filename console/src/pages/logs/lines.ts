/** The lines that the page has: bounded, grouped, and where each stands. Pure. */
import { plain } from "./ansi";

export type Level = "error" | "warning" | "info" | "debug";

export interface LogRow {
  readonly at: string;
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  readonly instance: string;
  readonly container: string;
  readonly stream: string;
  readonly level: Level;
  readonly text: string;
  readonly request: string;
  /** It goes on with the line before of the same stream. */
  readonly part: boolean;
}

export interface Line {
  /** Counts up in this page. */
  readonly number: number;
  readonly row: LogRow;
  /** The number of the line that it goes on with; its own if it begins something. */
  readonly head: number;
}

export interface Group {
  parts: number;
  /** The last of its lines: of a traceback, the exception itself. */
  last: Line;
}

export const MOST_LINES = 50_000;
/** So many go at once when there are more: dropping them one by one would cost all of the time. */
const DROPPED = 5_000;
/** From so many lines on that go on with it, an error is folded until somebody asks. */
export const FOLDED_FROM = 3;
const TAB = 8;

export class Lines {
  #lines: Line[] = [];
  #next = 0;
  #heads = new Map<string, number>();
  #groups = new Map<number, Group>();
  #levels = new Map<number, Level>();
  #opened = new Set<number>();
  #shown: readonly Line[] | null = null;

  get count(): number {
    return this.#lines.length;
  }

  get all(): readonly Line[] {
    return this.#lines;
  }

  /** Those that are not folded away. */
  get shown(): readonly Line[] {
    this.#shown ??= this.#lines.filter((line) => line.head === line.number || !this.folded(line.head) || !this.#groups.has(line.head));
    return this.#shown;
  }

  append(rows: readonly LogRow[]): void {
    for (const row of rows) {
      const stream = `${row.namespace}/${row.instance}/${row.container}/${row.stream}`;
      const number = this.#next++;
      const before = this.#heads.get(stream);
      const head = row.part && before !== undefined ? before : number;
      const line: Line = { number, row, head };
      if (head === number) {
        this.#heads.set(stream, number);
        this.#levels.set(number, row.level);
      } else {
        const group = this.#groups.get(head);
        if (group) {
          group.parts += 1;
          if (row.text.trim() !== "") group.last = line;
        } else this.#groups.set(head, { parts: 1, last: line });
      }
      this.#lines.push(line);
    }
    if (this.#lines.length > MOST_LINES) this.#drop();
    this.#shown = null;
  }

  clear(): void {
    this.#lines = [];
    this.#heads.clear();
    this.#groups.clear();
    this.#levels.clear();
    this.#opened.clear();
    this.#shown = null;
  }

  /** What goes on with a line; none if nothing does. */
  group(number: number): Group | undefined {
    return this.#groups.get(number);
  }

  folded(head: number): boolean {
    const group = this.#groups.get(head);
    return group !== undefined && group.parts >= FOLDED_FROM && this.#levels.get(head) === "error" && !this.#opened.has(head);
  }

  toggle(head: number): void {
    if (!this.#opened.delete(head)) this.#opened.add(head);
    this.#shown = null;
  }

  #drop(): void {
    this.#lines.splice(0, this.#lines.length - MOST_LINES + DROPPED);
    const first = this.#lines[0]?.number ?? this.#next;
    for (const of of [this.#groups, this.#levels]) for (const number of of.keys()) if (number < first) of.delete(number);
    for (const number of this.#opened) if (number < first) this.#opened.delete(number);
    for (const [stream, number] of this.#heads) if (number < first) this.#heads.delete(stream);
  }
}

/** How many columns of a fixed-width font a text takes. */
export function cells(text: string): number {
  let count = 0;
  for (const character of plain(text)) {
    const code = character.codePointAt(0) ?? 0;
    if (code === 9) count += TAB - (count % TAB);
    else count += wide(code) ? 2 : 1;
  }
  return count;
}

/** East Asian letters and pictures take two columns (Unicode, UAX #11). */
function wide(code: number): boolean {
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) || (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd);
}

/** Where each line begins, in rows of text, and after the last where all end. */
export function offsets(lines: readonly Line[], rowsOf: (line: Line) => number): Float64Array {
  const found = new Float64Array(lines.length + 1);
  let at = 0;
  lines.forEach((line, index) => {
    found[index] = at;
    at += rowsOf(line);
  });
  found[lines.length] = at;
  return found;
}

/** The index of the line that is at an offset. */
export function lineAt(found: Float64Array, offset: number): number {
  let low = 0;
  let high = found.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((found[middle + 1] ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, Math.max(0, found.length - 2));
}

/** The index of the first line that is not before a number. */
export function indexOf(lines: readonly Line[], number: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lines[middle]?.number ?? Infinity) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Lines as a file holds them. */
export const asText = (lines: readonly Line[]): string => lines.map(({ row }) => `${row.at} ${row.instance} ${row.stream} ${plain(row.text)}\n`).join("");
