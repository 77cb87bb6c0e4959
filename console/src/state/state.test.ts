import { describe, expect, test } from "vitest";

import { added } from "./flow";
import { joined, without, type Instance } from "./instances";
import { KEPT, latest, sampled, type Load } from "./load";
import { noticed, type Notice } from "./notices";

const instance = (name: string, state: string): Instance => ({
  instance: name, namespace: "default", service: "web", revision: "web-00001", state, why: "", reason: "", at: "", how: "", restarts: 0,
});

describe("instances", () => {
  test("a message changes those it names and leaves the others", () => {
    const known = [instance("a", "starting"), instance("b", "ready")];
    const after = joined(known, { instances: [instance("a", "ready"), instance("c", "starting")] });
    expect(after.map((each) => [each.instance, each.state])).toEqual([["a", "ready"], ["b", "ready"], ["c", "starting"]]);
    expect(after[1]).toBe(known[1]);
  });

  test("a snapshot takes the place of all, so one that went while nobody looked is not there", () => {
    expect(joined([instance("a", "ready")], { instances: [instance("b", "ready")], whole: true }).map((each) => each.instance)).toEqual(["b"]);
  });

  test("one that is gone leaves, unless it has come back meanwhile", () => {
    const gone = instance("a", "gone");
    expect(without([gone, instance("b", "ready")], [gone]).map((each) => each.instance)).toEqual(["b"]);
    expect(without([instance("a", "starting")], [gone])).toHaveLength(1);
  });
});

const revision = (name: string, requests: number, gone = false): Load => ({
  namespace: "default", service: "web", revision: name, requests, failed: 0, queued: 0, active: 0, concurrency: 0, metric: "concurrency",
  target: 70, stable: 0, panicWindow: 0, panic: false, desired: 1, ready: 1, notReady: 0, pending: 0, frozen: 0, gone,
});

describe("load", () => {
  test("keeps the last samples of each revision", () => {
    let known = sampled(new Map(), { at: "0", revisions: [revision("a", 0), revision("b", 0)], whole: true });
    const ofB = known.get("default/b");
    for (let second = 1; second <= KEPT + 5; second += 1) known = sampled(known, { at: `${second}`, revisions: [revision("a", second)] });
    expect(known.get("default/a")).toHaveLength(KEPT);
    expect(latest(known, "default", "a")?.requests).toBe(KEPT + 5);
    expect(known.get("default/b")).toBe(ofB);
  });

  test("a revision that is gone, or in no snapshot any more, is forgotten", () => {
    const known = sampled(new Map(), { at: "0", revisions: [revision("a", 0), revision("b", 0), revision("c", 0)] });
    expect([...sampled(known, { at: "1", revisions: [revision("a", 0, true)] }).keys()]).toEqual(["default/b", "default/c"]);
    const after = sampled(known, { at: "1", revisions: [revision("b", 0)], whole: true });
    expect([...after.keys()]).toEqual(["default/b"]);
    expect(after.get("default/b")).toHaveLength(2);
  });
});

describe("notices", () => {
  test("come newest first, and once though a snapshot repeats them", () => {
    const notice = (text: string): Notice => ({ at: text, level: "info", kind: "Notice", text });
    const known = noticed([], [notice("1"), notice("2")]);
    expect(noticed(known, [notice("1"), notice("2"), notice("3")]).map((each) => each.text)).toEqual(["3", "2", "1"]);
    expect(noticed(known, [notice("2")])).toBe(known);
  });
});

test("counts of several messages are one", () => {
  expect(added({ a: [1, 0], b: [2, 1] }, { b: [3, 1], c: [4, 0] })).toEqual({ a: [1, 0], b: [5, 2], c: [4, 0] });
});
