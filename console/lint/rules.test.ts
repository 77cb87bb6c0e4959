import { expect, test } from "vitest";

import { breaches, clashes, unsaid } from "./rules.js";

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

test("two pages do not style one class; what is shared, and what is within another, may be", () => {
  const sheets = (map: string, logs: string) => new Map([["src/ui/panel.css", ".panel { }"], ["src/pages/map/map.css", map], ["src/pages/logs/logs.css", logs]]);
  expect(clashes(sheets(".card, .legend { }", ".log .legend { } @media (width < 1px) { .line { } }"))).toEqual([]);
  expect(clashes(sheets(".legend li { }", "/* .card */ .log { } @media (width < 1px) { .legend { } }"))).toEqual(["src/pages/logs/logs.css: clash: .legend is styled by the page map as well"]);
});

test("a text that nothing says is found, in quotes or not", () => {
  const texts = 'export const texts = {\n  en: {\n    title: "Map",\n    "stage app": "App",\n    left: "Left",\n  },\n  es: {\n';
  expect(unsaid(texts, 't("title") + t(`stage ${name}`)')).toEqual(["left"]);
});
