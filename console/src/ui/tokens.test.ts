import { expect, test } from "vitest";

import { jsonTokens, yamlTokens } from "./tokens";

const joined = (tokens: { text: string }[]): string => tokens.map((token) => token.text).join("");

test("keys, strings, numbers and words of JSON are told apart", () => {
  const kinds = jsonTokens('{"a": "b", "n": -1.5e3, "t": true}').filter(({ kind }) => kind !== "text" && kind !== "mark");
  expect(kinds.map(({ kind, text }) => [kind, text])).toEqual([
    ["key", '"a"'], ["string", '"b"'], ["key", '"n"'], ["number", "-1.5e3"], ["key", '"t"'], ["word", "true"],
  ]);
});

test("keys and values of YAML are told apart", () => {
  const kinds = yamlTokens("# note\nmetadata:\n  name: hello\n  - image: 5\n").filter(({ kind }) => kind !== "text" && kind !== "mark");
  expect(kinds.map(({ kind, text }) => [kind, text.trim()])).toEqual([
    ["comment", "# note"], ["key", "metadata"], ["key", "name"], ["string", "hello"], ["key", "image"], ["number", "5"],
  ]);
});

test("no text is lost, whatever it is", () => {
  for (const text of ["", '{"a', "</script><b>", '{"x": "\\"y"}]', "a: b: c\n\n- - x\n'q': \"\\\"\n", "\u2028 {\n}"]) {
    expect(joined(jsonTokens(text))).toBe(text);
    expect(joined(yamlTokens(text))).toBe(text);
  }
});
