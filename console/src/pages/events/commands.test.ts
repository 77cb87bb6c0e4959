import { expect, test } from "vitest";

import { quoted } from "../../curl";
import { asCurl, asSend } from "./commands";

const BROKER = { kind: "Broker", namespace: "default", name: "default" };

test("nothing in an event gets out of its quotes", () => {
  expect(quoted("$(reboot)")).toBe("'$(reboot)'");
  expect(quoted("it's; rm -rf /")).toBe(`'it'\\''s; rm -rf /'`);
  expect(asSend({ id: "`id`", source: "/s", type: "t" }, BROKER, "8081")).toBe("knlite send --id '`id`' --source /s --type t --broker default/default");
});

test("a command for curl", () => {
  expect(asCurl({ id: "1" }, BROKER, "http://127.0.0.1:8081")).toBe(
    `curl 'http://127.0.0.1:8081/knlite/events?broker=default/default' \\\n  -H 'content-type: application/cloudevents+json' \\\n  --data-raw '{"id":"1"}'`,
  );
});

test("extensions and data go along; what cannot be said is not said", () => {
  expect(asSend({ id: "1", source: "/s", type: "t", tenant: "a b", data: { a: 1 } }, BROKER, "9000")).toBe(
    `knlite send --id 1 --source /s --type t --broker default/default --ext 'tenant=a b' --data '{"a":1}' --admin-port 9000`,
  );
  expect(asSend({ id: "1", data_base64: "AA==" }, BROKER, "8081")).toBeNull();
  expect(asSend({ id: "1", data: "@/etc/passwd", datacontenttype: "text/plain" }, BROKER, "8081")).toBeNull();
});
