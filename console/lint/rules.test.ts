import { expect, test } from "vitest";

import { breaches, unsaid } from "./rules.js";

const names = (text: string): string[] => breaches("src/x.tsx", text).map((line) => line.split(": ")[1] ?? "");

test("what would make text markup or code is refused", () => {
  expect(names("<p dangerouslySetInnerHTML={{ __html: x }} />")).toEqual(["markup"]);
  expect(names("element.innerHTML = x")).toEqual(["markup"]);
  expect(names("eval(x)")).toEqual(["eval"]);
  expect(names("const x = y as any;")).toEqual(["any"]);
  expect(names('<p style="color: red">')).toEqual(["style"]);
  expect(names('<img src="https://elsewhere.example/x.png">')).toEqual(["elsewhere"]);
});

test("what only sounds like it is not", () => {
  expect(names("// innerHTML is never used")).toEqual([]);
  expect(names("const company = many(anything); <p style={{ width }} />")).toEqual([]);
});

test("styles of a page that would reach another page are refused", () => {
  const css = (text: string): number => breaches("src/pages/map/map.css", text).length;
  expect(css(".legend { position: absolute; }")).toBe(1);
  expect(css("@media (max-width: 719px) {")).toBe(1);
  expect(css("main.map {\n  .legend { position: absolute; }\n}\n@keyframes appear { from { opacity: 0; } }")).toBe(0);
  expect(breaches("src/ui/table.css", ".table { width: 100%; }")).toEqual([]);
});

test("a text that nothing says is found, in quotes or not", () => {
  const texts = 'export const texts = {\n  en: {\n    title: "Map",\n    "stage app": "App",\n    left: "Left",\n  },\n  es: {\n';
  expect(unsaid(texts, 't("title") + t(`stage ${name}`)')).toEqual(["left"]);
});
