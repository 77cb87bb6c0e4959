import { expect, test } from "vitest";

import { matched, pressed, type Key } from "./keys";

const key = (keys: string): Key => ({ keys, label: () => keys, run: () => undefined });
const KEYS = [key("g m"), key("g s"), key("/"), key("Ctrl+k"), key("m")];
const find = (before: string, pressed: string, writing = false, modal = false): string | undefined =>
  matched(KEYS, before, pressed, writing, modal)?.keys;

test("keys are shown as they stand on the keyboard", () => {
  expect([pressed("g m"), pressed("Ctrl+k"), pressed("+"), pressed("?")]).toEqual([["g", "m"], ["Ctrl K"], ["+"], ["?"]]);
});

test("two keys, one after the other, are one", () => {
  expect(find("g", "m")).toBe("g m");
  expect(find("", "m")).toBe("m");
  expect(find("x", "s")).toBeUndefined();
});

test("who writes is left alone", () => {
  expect(find("", "/", true)).toBeUndefined();
  expect(find("", "Ctrl+k", true)).toBe("Ctrl+k");
});

test("a dialog covers the keys of the page", () => {
  expect(find("g", "s", false, true)).toBeUndefined();
});

test("what was added last wins", () => {
  const later = { ...key("/"), label: () => "later" };
  expect(matched([...KEYS, later], "", "/", false, false)?.label()).toBe("later");
});
