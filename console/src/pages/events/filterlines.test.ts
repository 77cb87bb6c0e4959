import { expect, test } from "vitest";

import { filterLines, type Line } from "./filterlines";
import type { Part } from "./types";

const part = (path: string, value: boolean | null, seen: Part["seen"] = {}, start = 0, end = 0): Part => ({ path, value, seen, start, end });
const text = (lines: readonly Line[]): string[] => lines.map((line) => line.segments.map((each) => (each.mark ? `[${each.mark}:${each.text}]` : each.text)).join(""));

test("an attribute that decided is marked, with what was there", () => {
  const lines = filterLines({ filter: { attributes: { type: "order.paid", tenant: "a b" } } }, [part("filter.attributes[type]", false, { type: "x" })]);
  expect(text(lines)).toEqual(["filter:", "  attributes:", "    [failed:type: order.paid]", '    tenant: "a b"']);
  expect(lines[2]?.seen).toBe('type is "x"');
});

test("nested expressions keep their places", () => {
  const filter = { filters: [{ any: [{ exact: { type: "a" } }, { not: { suffix: { subject: "z" } } }] }] };
  expect(text(filterLines(filter, [part("filters[0].any[1].not.suffix[subject]", true, { subject: "xyz" })]))).toEqual([
    "filters:",
    "- any:",
    "  - exact:",
    "      type: a",
    "  - not:",
    "      suffix:",
    "        [passed:subject: z]",
  ]);
});

test("a part of an expression is marked where it stands", () => {
  const cesql = "source = '/s' AND (type = 'a' OR x = 1)";
  const lines = filterLines({ filters: [{ cesql }] }, [part("filters[0].cesql", false, { type: "b" }, 19, 29), part("filters[0].cesql", null, { x: null }, 33, 38)]);
  expect(text(lines)).toEqual(["filters:", "- cesql: source = '/s' AND ([failed:type = 'a'] OR [error:x = 1])"]);
  expect(lines[1]?.seen).toBe('type is "b", x is absent');
});

test("no filter has no lines, and a later knlite's breaks nothing", () => {
  expect(filterLines({}, [])).toEqual([]);
  expect(text(filterLines({ filters: [{ sql: 5 }, null] }, []))).toEqual(["filters:", "- {}", "- {}"]);
});
