import { expect, test } from "vitest";

import { format, parse } from "./router";

test("a hash names a page, what is shown of it and what it is filtered by", () => {
  expect(parse("#/services/default/hello?at=Broker%2Fdefault%2Fb&text=a+b")).toEqual({
    page: "services",
    rest: ["default", "hello"],
    query: { at: "Broker/default/b", text: "a b" },
  });
});

test("what names no page is the map", () => {
  for (const hash of ["", "#", "#/", "#/nowhere/x", "#/%E0"]) expect(parse(hash)).toMatchObject({ page: "map", rest: [] });
});

test("what is formatted is parsed again", () => {
  const rest = ["a/b", "ü ?", "%"];
  expect(parse(format("events", rest, { text: "x&y=1?#", none: undefined }))).toEqual({ page: "events", rest, query: { text: "x&y=1?#" } });
});
