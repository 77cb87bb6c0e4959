/** What programs write for terminals, as pieces of text with classes. Pure; a piece is only ever a text node. */

interface Piece {
  readonly text: string;
  /** Names of classes: `ansi-red`, `ansi-bold`. */
  readonly classes: readonly string[];
  /** Whether it is what was searched for. */
  readonly hit: boolean;
}

const COLORS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
// Sequences that color; then those that move the cursor, set titles and links, which are left out.
const ESCAPES = /\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]/g;
/** Control characters, and those that turn the direction of what follows: shown as what they are. */
const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g;

/** What is seen of a text. */
export const plain = (text: string): string => visible(text.replace(ESCAPES, ""));

export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : `[U+${code.toString(16).toUpperCase()}]`;
  });
}

export function pieces(text: string, needle = ""): Piece[] {
  const colored = text.includes("\x1b") ? parted(text) : [{ text: visible(text), classes: [] }];
  if (needle === "") return colored.map((piece) => ({ ...piece, hit: false }));
  return marked(colored, needle);
}

interface Colored {
  readonly text: string;
  readonly classes: readonly string[];
}

function parted(text: string): Colored[] {
  const found: Colored[] = [];
  let at = 0;
  let style: Style = PLAIN;
  const add = (end: number): void => {
    if (end > at) found.push({ text: visible(text.slice(at, end)), classes: classesOf(style) });
  };
  for (const match of text.matchAll(ESCAPES)) {
    add(match.index);
    at = match.index + match[0].length;
    if (match[1] !== undefined) style = styled(style, match[1]);
  }
  add(text.length);
  return found;
}

interface Style {
  readonly color: string;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
}

const PLAIN: Style = { color: "", bold: false, dim: false, italic: false, underline: false };

function styled(before: Style, codes: string): Style {
  let style = before;
  const numbers = codes === "" ? [0] : codes.split(";").map(Number);
  for (let index = 0; index < numbers.length; index += 1) {
    const code = numbers[index] ?? 0;
    if (code === 0) style = PLAIN;
    else if (code === 1) style = { ...style, bold: true };
    else if (code === 2) style = { ...style, dim: true };
    else if (code === 3) style = { ...style, italic: true };
    else if (code === 4) style = { ...style, underline: true };
    else if (code === 22) style = { ...style, bold: false, dim: false };
    else if (code === 23) style = { ...style, italic: false };
    else if (code === 24) style = { ...style, underline: false };
    else if (code >= 30 && code <= 37) style = { ...style, color: COLORS[code - 30] ?? "" };
    else if (code >= 90 && code <= 97) style = { ...style, color: COLORS[code - 90] ?? "" };
    else if (code === 39) style = { ...style, color: "" };
    else if (code === 38 || code === 48) {
      // One of 256 colors, or any: of those only the first sixteen have a class here.
      const chosen = numbers[index + 1] === 5 ? (numbers[index + 2] ?? 16) : 16;
      if (code === 38) style = { ...style, color: chosen < 16 ? (COLORS[chosen % 8] ?? "") : "" };
      index += numbers[index + 1] === 5 ? 2 : 4;
    }
  }
  return style;
}

function classesOf(style: Style): string[] {
  const found = style.color === "" || style.color === "black" || style.color === "white" ? [] : [`ansi-${style.color}`];
  for (const name of ["bold", "dim", "italic", "underline"] as const) if (style[name]) found.push(`ansi-${name}`);
  return found;
}

/** The same pieces, cut where the needle begins and ends, also across colors. */
function marked(colored: readonly Colored[], needle: string): Piece[] {
  const whole = colored.map((piece) => piece.text).join("").toLowerCase();
  const wanted = needle.toLowerCase();
  const cuts: [number, number][] = [];
  for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, at + wanted.length)) cuts.push([at, at + wanted.length]);
  const found: Piece[] = [];
  let start = 0;
  for (const piece of colored) {
    let at = start;
    const end = start + piece.text.length;
    const add = (until: number, hit: boolean): void => {
      if (until > at) found.push({ text: piece.text.slice(at - start, until - start), classes: piece.classes, hit });
      at = Math.max(at, until);
    };
    for (const [from, to] of cuts) {
      if (to <= at || from >= end) continue;
      add(Math.min(from, end), false);
      add(Math.min(to, end), true);
    }
    add(end, false);
    start = end;
  }
  return found;
}
