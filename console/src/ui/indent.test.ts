import { expect, test } from "vitest";

import { indentAfter } from "./indent";

test("a key without a value has children, as deep as those that are there", () => {
  expect(indentAfter("  labels:", "    a: b")).toBe(4);
  expect(indentAfter("  labels:", "      a: b")).toBe(6);
  expect(indentAfter("  labels:", "spec:")).toBe(4);
  expect(indentAfter("- env:", "")).toBe(4);
  expect(indentAfter("data: |", "")).toBe(2);
});

test("what follows a field stands beside it", () => {
  expect(indentAfter("    a: b", "")).toBe(4);
  expect(indentAfter("  - name: x", "")).toBe(4);
  expect(indentAfter("    ", "a")).toBe(4);
  expect(indentAfter("", "")).toBe(0);
});
