import { describe, expect, it } from "vitest";

import { asText, cells, indexOf, lineAt, Lines, MOST_LINES, offsets, type LogRow } from "./lines";

function row(text: string, changes: Partial<LogRow> = {}): LogRow {
  return { at: "2026-01-02T10:00:00.000Z", namespace: "shop", service: "cart", revision: "cart-00001", instance: "i", container: "c", stream: "stderr", level: "info", text, request: "", part: false, ...changes };
}

const trace = (instance = "i"): LogRow[] => [
  row("Traceback (most recent call last):", { level: "error", instance }),
  row('  File "app.py"', { level: "error", part: true, instance }),
  row("    x()", { level: "error", part: true, instance }),
  row("KeyError: 'a'", { level: "error", part: true, instance }),
  row("", { level: "error", part: true, instance }),
];

const texts = (lines: Lines): string[] => lines.shown.map((line) => line.row.text);

describe("the lines of a page", () => {
  it("fold a traceback, whose exception is told, until somebody opens it", () => {
    const lines = new Lines();
    lines.append([row("before"), ...trace(), row("after")]);
    expect(texts(lines)).toEqual(["before", "Traceback (most recent call last):", "after"]);
    expect(lines.group(1)).toMatchObject({ parts: 4, last: { row: { text: "KeyError: 'a'" } } });
    lines.toggle(1);
    expect(lines.shown).toHaveLength(7);
    lines.toggle(1);
    expect(lines.shown).toHaveLength(3);
  });
  it("keep the tracebacks of two instances apart, though their lines come mixed", () => {
    const lines = new Lines();
    const other = trace("other");
    lines.append(trace().flatMap((each, index) => [each, other[index] ?? each]));
    expect(lines.shown.map((line) => line.row.instance)).toEqual(["i", "other"]);
  });
  it("go on with a traceback of which the first lines came before", () => {
    const lines = new Lines();
    const [head, ...parts] = trace();
    lines.append(head ? [head] : []);
    lines.append(parts);
    expect(lines.shown).toHaveLength(1);
  });
  it("show what is indented under a line that is no error", () => {
    const lines = new Lines();
    lines.append([row("config:"), ...["a", "b", "c", "d"].map((each) => row(`  ${each}`, { part: true }))]);
    expect(lines.shown).toHaveLength(5);
  });
  it("show parts of which the beginning is not there", () => {
    const lines = new Lines();
    lines.append([row("  at f (app.js)", { part: true })]);
    expect(lines.shown).toHaveLength(1);
  });
  it("are bounded, and the oldest go first", () => {
    const lines = new Lines();
    lines.append(Array.from({ length: MOST_LINES }, (_, index) => row(String(index))));
    lines.append([row("last")]);
    expect(lines.count).toBeLessThanOrEqual(MOST_LINES);
    expect(lines.shown.at(-1)?.row.text).toBe("last");
    expect(lines.shown[0]?.number).toBeGreaterThan(0);
  });
  it("are a file of text without colors", () => {
    const lines = new Lines();
    lines.append([row("\x1b[31mred\x1b[0m")]);
    expect(asText(lines.shown)).toBe("2026-01-02T10:00:00.000Z i stderr red\n");
  });
});

describe("where lines stand", () => {
  const lines = new Lines();
  lines.append(["a", "bb", "c"].map((text) => row(text)));
  const found = offsets(lines.shown, (line) => line.row.text.length);
  it("is the sum of what is above", () => expect([...found]).toEqual([0, 1, 3, 4]));
  it.each([[0, 0], [0.5, 0], [1, 1], [2.9, 1], [3, 2], [99, 2]])("offset %d is line %d", (offset, index) => {
    expect(lineAt(found, offset)).toBe(index);
  });
  it("is found by number", () => {
    expect(indexOf(lines.shown, 1)).toBe(1);
    expect(indexOf(lines.shown, 9)).toBe(3);
  });
  it("of no line is the beginning", () => expect(lineAt(offsets([], () => 1), 5)).toBe(0));
});

describe("the width of a text", () => {
  it.each([["abc", 3], ["\x1b[31mabc\x1b[0m", 3], ["a\tb", 9], ["日本", 4], ["😀", 2], ["", 0]])("of %j is %d", (text, wanted) => expect(cells(text)).toBe(wanted));
});
