import { expect, test } from "vitest";

import { binary, dataFault, draftOf, EMPTY, eventOf, faults, structured, type Draft } from "./draft";

const SOUND: Draft = { ...EMPTY, type: "order.paid", data: '{"id": 17}' };

test("what a CloudEvent must have", () => {
  expect(faults(SOUND)).toEqual({});
  expect(faults({ ...SOUND, type: " ", source: "" })).toEqual({ type: "required", source: "required" });
  expect(faults({ ...SOUND, source: "a b" })).toEqual({ source: "notUri" });
  expect(faults({ ...SOUND, time: "yesterday" })).toEqual({ time: "notTime" });
  expect(faults({ ...SOUND, time: "2026-11-26T12:00:00Z", dataschema: "http://x/y" })).toEqual({});
  expect(faults({ ...SOUND, dataschema: "x" })).toEqual({ dataschema: "notUri" });
  expect(faults({ ...SOUND, datacontenttype: "json" })).toHaveProperty("datacontenttype", "notMedia");
});

test("names of extensions", () => {
  expect(faults({ ...SOUND, extensions: [["Tenant", "a"]] })).toEqual({ extensions: "badName" });
  expect(faults({ ...SOUND, extensions: [["id", "a"]] })).toEqual({ extensions: "takenName" });
  expect(faults({ ...SOUND, extensions: [["a", "1"], ["a", "2"]] })).toEqual({ extensions: "twiceName" });
});

test("data is what its media type says", () => {
  expect(dataFault({ ...SOUND, data: "{" })).toMatchObject({ fault: "notJson" });
  expect(dataFault({ ...SOUND, data: "{", datacontenttype: "text/plain" })).toBeNull();
  expect(dataFault({ ...SOUND, data: "###", binary: true })).toMatchObject({ fault: "notBase64" });
  expect(dataFault({ ...SOUND, data: "" })).toBeNull();
});

test("an event without an id or a time gets them", () => {
  expect(eventOf(SOUND, "7", "2026-11-26T12:00:00Z")).toEqual({
    specversion: "1.0", id: "7", source: "/console", type: "order.paid", time: "2026-11-26T12:00:00Z", datacontenttype: "application/json", data: { id: 17 },
  });
  expect(eventOf({ ...SOUND, data: "", id: "mine" }, "7", "t")).not.toHaveProperty("datacontenttype");
});

test("large numbers are sent as they were written", () => {
  const body = structured({ ...SOUND, data: "12345678901234567890" }, "7", "t");
  expect(body).toContain('"data":12345678901234567890}');
  expect(structured({ ...SOUND, data: "hi", datacontenttype: "text/plain" }, "7", "t")).toContain('"data":"hi"');
});

test("headers carry what is not ASCII in percent-encoding", () => {
  const { headers, body } = binary({ ...SOUND, subject: 'é 5% "x"' }, "7", "t");
  expect(headers["ce-subject"]).toBe("%C3%A9 5%25 %22x%22");
  expect(headers["content-type"]).toBe("application/json");
  expect(body).toBe('{"id": 17}');
});

test("a draft of an event is that event with another id", () => {
  const draft = draftOf({ specversion: "1.0", id: "1", source: "/s", type: "t", tenant: "a", data: { a: 1 }, datacontenttype: "application/json" });
  expect(draft).toMatchObject({ id: "", source: "/s", extensions: [["tenant", "a"]], data: '{\n  "a": 1\n}', binary: false });
  expect(draftOf({ data_base64: "AAE=" })).toMatchObject({ data: "AAE=", binary: true });
});
