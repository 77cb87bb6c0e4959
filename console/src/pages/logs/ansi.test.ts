import { describe, expect, it } from "vitest";

import { pieces, plain, visible } from "./ansi";

const ESC = "\x1b";

describe("a colored line", () => {
  it("is pieces with classes", () => {
    expect(pieces(`${ESC}[33mWARN${ESC}[0m cache is ${ESC}[1;31mcold${ESC}[22m!`)).toEqual([
      { text: "WARN", classes: ["ansi-yellow"], hit: false },
      { text: " cache is ", classes: [], hit: false },
      { text: "cold", classes: ["ansi-red", "ansi-bold"], hit: false },
      { text: "!", classes: ["ansi-red"], hit: false },
    ]);
  });
  it("takes the first sixteen of 256 colors and no other", () => {
    expect(pieces(`${ESC}[38;5;9ma${ESC}[38;5;200mb${ESC}[38;2;1;2;3mc`).map((each) => each.classes)).toEqual([["ansi-red"], [], []]);
  });
  it("loses what moves a cursor, sets a title or makes a link", () => {
    expect(plain(`${ESC}[2J${ESC}[Ha${ESC}]0;title\x07b${ESC}]8;;http://x${ESC}\\c`)).toBe("abc");
  });
  it("is the text it is, whatever it says", () => {
    expect(pieces("<img src=x onerror=alert(1)>")).toEqual([{ text: "<img src=x onerror=alert(1)>", classes: [], hit: false }]);
  });
  it("shows what would hide or turn other text", () => {
    expect(visible("a\x00b\u202egpj")).toBe("a␀b[U+202E]gpj");
    expect(visible("a\tb")).toBe("a\tb");
  });
});

describe("what is searched for", () => {
  const hits = (text: string, needle: string): string[] => pieces(text, needle).filter((piece) => piece.hit).map((piece) => piece.text);
  it("is marked wherever it stands, in upper and lower case", () => expect(hits("Error: no error", "ERROR")).toEqual(["Error", "error"]));
  it("is marked across colors", () => expect(hits(`${ESC}[31mER${ESC}[0mROR`, "error")).toEqual(["ER", "ROR"]));
  it("leaves the rest as it is", () => {
    expect(pieces("a b a", "a").map((piece) => piece.text).join("")).toBe("a b a");
    expect(hits("abc", "x")).toEqual([]);
  });
});
