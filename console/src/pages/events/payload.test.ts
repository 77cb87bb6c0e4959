import { expect, test } from "vitest";

import { attributes, hex, payload } from "./payload";

test("JSON is laid out, text is as it is", () => {
  expect(payload({ data: { a: 1 } })).toMatchObject({ kind: "json", text: '{\n  "a": 1\n}' });
  expect(payload({ data: "<b>", datacontenttype: "text/plain" })).toMatchObject({ kind: "text", text: "<b>" });
  expect(payload({ data: "a" })).toMatchObject({ kind: "json", text: '"a"' });
  expect(payload({})).toMatchObject({ kind: "none" });
});

test("bytes that are text are text, others are numbers", () => {
  expect(payload({ data_base64: btoa("<xml/>") })).toMatchObject({ kind: "text", text: "<xml/>" });
  const binary = payload({ data_base64: btoa("\x00\x01ab") });
  expect(binary).toMatchObject({ kind: "binary" });
  expect(binary.text).toContain("00 01 61 62");
  expect(payload({ data_base64: "%%%" })).toMatchObject({ kind: "text", text: "" });
});

test("a dump has sixteen bytes a line", () => {
  expect(hex(new Uint8Array(17)).split("\n")).toHaveLength(2);
});

test("the attributes of the specification come first", () => {
  expect(attributes({ tenant: "a", type: "t", id: "1", data: 5 })).toEqual([["id", "1"], ["type", "t"], ["tenant", "a"]]);
});
