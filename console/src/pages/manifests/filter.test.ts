import { expect, test } from "vitest";

import type { Listed } from "../../state/objects";
import { filtered, kindsOf, shortened, type Wanted } from "./filter";

const object = (kind: string, name: string, more: Partial<Listed> = {}): Listed => ({
  group: "", version: "v1", apiVersion: "v1", plural: `${kind.toLowerCase()}s`, kind, namespace: "default", name, ready: "", reason: "", message: "", created: "", source: "", own: "", ...more,
});
const ALL = [
  object("Service", "hello", { group: "serving.knative.dev", ready: "True", source: "shop/app.yaml:3" }),
  object("Service", "hello"),
  object("Revision", "hello-00001", { own: "owned", ready: "False" }),
  object("Secret", "keys", { namespace: "other" }),
];
const PLAIN: Wanted = { text: "", kind: "", namespace: "", troubled: false, generated: false };
const names = (wanted: Partial<Wanted>, covers: (o: Listed) => boolean = () => true): string[] => filtered(ALL, { ...PLAIN, ...wanted }, covers).map(({ kind, name }) => `${kind}/${name}`);

test("what others make is shown when it is asked for, or searched", () => {
  expect(names({})).toEqual(["Service/hello", "Service/hello", "Secret/keys"]);
  expect(names({ generated: true })).toContain("Revision/hello-00001");
  expect(names({ text: "00001" })).toEqual(["Revision/hello-00001"]);
});

test("every filter narrows", () => {
  expect(names({ kind: "Service.serving.knative.dev" })).toEqual(["Service/hello"]);
  expect(names({ namespace: "other" })).toEqual(["Secret/keys"]);
  expect(names({ troubled: true, generated: true })).toEqual(["Revision/hello-00001"]);
  expect(names({ text: "app.yaml" })).toEqual(["Service/hello"]);
  expect(names({}, ({ kind }) => kind === "Secret")).toEqual(["Secret/keys"]);
});

test("kinds of one name are told apart by their groups", () => {
  expect(kindsOf(ALL).map(({ label }) => label)).toEqual(["Secret", "Service", "Service.serving.knative.dev", "Revision"]);
});

test("of a long path the end is shown", () => {
  expect(shortened("/home/me/shop/app.yaml")).toBe("…/shop/app.yaml");
  expect(shortened("app.yaml")).toBe("app.yaml");
});
