import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

import { curl, headersOf, joined } from "./curl";

const said = (line: string): string[] => execFileSync("sh", ["-c", `printf '%s\\n' ${line}`], { encoding: "utf8" }).split("\n").slice(0, -1);

it("is one line that a shell reads as it was meant", () => {
  const line = curl({ method: "PUT", url: "http://shop.default.localhost:8080/a?b=1&c=$HOME", headers: [["X", "it's; `id` $(id) \\ \"x\""]], body: `{"a": "'"}` });
  expect(said(line)).toEqual(["curl", "-i", "-X", "PUT", "-H", `X: it's; \`id\` $(id) \\ "x"`, "--data-raw", `{"a": "'"}`, "http://shop.default.localhost:8080/a?b=1&c=$HOME"]);
});

it("leaves out what curl does by itself", () => {
  expect(curl({ method: "GET", url: "http://a", headers: [], body: "" })).toBe("curl -i http://a");
  expect(curl({ method: "POST", url: "http://a", headers: [], body: "x" })).toBe("curl -i --data-raw x http://a");
  expect(curl({ method: "HEAD", url: "http://a", headers: [], body: "" })).toBe("curl -i --head http://a");
});

it("reads headers line by line", () => {
  expect(headersOf("A: b\n\n  C:d:e ")).toEqual({ headers: [["A", "b"], ["C", "d:e"]], wrong: "" });
  expect(headersOf("A: b\nnonsense").wrong).toBe("nonsense");
});

it("joins a path to an address", () => {
  expect(joined("http://a/", "x")).toBe("http://a/x");
  expect(joined("http://a", "/x?y")).toBe("http://a/x?y");
});
