import { describe, expect, it } from "vitest";

import { advice, amount, counted, standing, unwrapped } from "./words";

const row = (more: object = {}) => ({ ready: "True", reason: "", deleting: false, ...more });
const states = (...all: string[]) => counted(all.map((state) => ({ state })));

describe("how a service stands", () => {
  it("is said by its instances once it is ready", () => {
    expect(standing(row(), states("ready", "ready", "draining"))).toMatchObject({ tone: "ready", values: { n: 2 } });
    expect(standing(row(), states("starting"))).toMatchObject({ key: "waking" });
    expect(standing(row(), states("frozen"))).toMatchObject({ tone: "frozen", key: "asleep" });
    expect(standing(row(), states("gone"))).toMatchObject({ key: "zero" });
  });
  it("is Knative's reason while it is not", () => {
    expect(standing(row({ ready: "False", reason: "RevisionFailed" }), states("failed"))).toMatchObject({ tone: "failed", values: { reason: "RevisionFailed" } });
    expect(standing(row({ ready: "Unknown", reason: "Deploying" }), states())).toMatchObject({ tone: "starting", values: { reason: "Deploying" } });
    expect(standing(row({ ready: "False", deleting: true }), states())).toMatchObject({ key: "deleting" });
  });
});

it("every state that an instance may have is counted once", () => {
  const all = ["preparing", "starting", "started", "ready", "unready", "restarting", "failed", "waiting", "draining", "frozen", "thawed", "stopped", "completed", "gone"];
  expect(Object.values(states(...all)).reduce((a, b) => a + b)).toBe(all.length);
});

describe("what helps", () => {
  it.each([
    ["RevisionFailed", "Revision \"x-00001\" failed with message: Container failed with: no database.", "ends"],
    ["RevisionFailed", "Revision \"x\" failed with message: the image nginx needs a container engine: none", "noEngine"],
    ["RevisionMissing", "Revision \"x\" referenced in traffic not found", "revisionMissing"],
    ["RevisionFailed", "Unable to fetch image \"x\": not there", "image"],
    ["ProgressDeadlineExceeded", "Initial scale was never achieved", "deadline"],
    ["RevisionFailed", "not ready after 120 s", "notListening"],
    ["Anything", "else", "read"],
  ])("%s: %s", (reason, message, key) => expect(advice(reason, message, "False")).toBe(key));
  it("is to wait while nothing has failed", () => expect(advice("Deploying", "", "Unknown")).toBe("wait"));
});

it("shows a program's last words without what is around them", () => {
  expect(unwrapped('Revision "broken-00001" failed with message: Container failed with: cannot connect.')).toBe("cannot connect.");
  expect(unwrapped("cannot connect")).toBe("cannot connect");
});

it("writes amounts short", () => expect([0, 0.04, 0.44, 9.96, 12.4].map(amount)).toEqual(["0", "0", "0.4", "10", "12"]));
