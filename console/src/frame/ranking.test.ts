import { expect, test } from "vitest";

import { ranked } from "./ranking";

const find = (text: string, ...names: string[]): string[] => ranked(names, text, (name) => name);

test("names that begin so come first", () => {
  expect(find("or", "store", "my-orders", "orders")).toEqual(["orders", "my-orders", "store"]);
});

test("every word has to be there, in any order", () => {
  expect(find("trigger ord", "orders Trigger", "orders Broker")).toEqual(["orders Trigger"]);
});

test("no text means everything, in order", () => {
  expect(find(" ", "b", "a")).toEqual(["b", "a"]);
});
