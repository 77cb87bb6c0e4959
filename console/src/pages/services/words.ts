/** How a service stands, in a word; what is wrong, and what helps. Pure.
 *
 * The keys are those of messages.ts: Knative's own reason and message are shown beside them. */
import { trimmed } from "../../format";
import { toneOf, type Instance } from "../../state/instances";
import type { Sample } from "../../state/load";
import type { Tone } from "../../ui/badge";

export interface Standing {
  readonly tone: Tone;
  readonly key: "ready" | "zero" | "asleep" | "waking" | "deleting" | "failed" | "underWay" | "nothing";
  readonly values: Readonly<Record<string, string | number>>;
}

export interface Counts {
  readonly ready: number;
  readonly starting: number;
  readonly frozen: number;
  readonly failed: number;
  readonly leaving: number;
}

/** How many instances are in each part of their life. */
export function counted(instances: readonly Pick<Instance, "state">[]): Counts {
  const of = (tone: Tone): number => instances.filter((each) => toneOf(each.state) === tone).length;
  return { ready: of("ready"), starting: of("starting"), frozen: of("frozen"), failed: of("failed"), leaving: of("gone") };
}

export function standing(row: { readonly ready: string; readonly reason: string; readonly deleting: boolean; readonly latestCreated?: string }, counts: Counts): Standing {
  if (row.deleting) return { tone: "gone", key: "deleting", values: {} };
  if (row.ready === "False") return { tone: "failed", key: "failed", values: { reason: row.reason || "NotReady" } };
  if (row.ready === "Unknown") return { tone: "starting", key: "underWay", values: { reason: row.reason || "Deploying" } };
  if (row.ready !== "True") return { tone: "gone", key: "nothing", values: {} };
  if (counts.ready > 0) return { tone: "ready", key: "ready", values: { n: counts.ready } };
  if (counts.starting > 0) return { tone: "starting", key: "waking", values: { n: counts.starting } };
  if (counts.frozen > 0) return { tone: "frozen", key: "asleep", values: { n: counts.frozen } };
  return { tone: "gone", key: "zero", values: {} };
}

export type Advice = "noEngine" | "ends" | "image" | "notListening" | "revisionMissing" | "deadline" | "room" | "folder" | "build" | "quota" | "wait" | "read";

/** What helps when Ready is not True. */
export function advice(reason: string, message: string, ready: string): Advice {
  const all = `${reason} ${message}`;
  if (/needs a container engine|ContainerEngineMissing/i.test(all)) return "noEngine";
  if (/RevisionMissing|does not exist|not found/i.test(reason) || /^Revision "[^"]*" (referenced|is not found)/.test(message)) return "revisionMissing";
  if (/FolderMissing|which is not there/i.test(all)) return "folder";
  if (/nothing listens|connection refused|readiness probe|not ready after/i.test(message)) return "notListening";
  if (/ErrImagePull|ImagePullBackOff|Unable to fetch image|manifest unknown|pull access denied/i.test(all)) return "image";
  if (/could not be (installed|built)|build failed|BuildFailed|InstallFailed|requirements/i.test(all)) return "build";
  if (/Unschedulable|insufficient|OutOfMemory|OOMKilled/i.test(all)) return "room";
  if (/exceeded quota|LimitRange/i.test(message)) return "quota";
  if (/ProgressDeadlineExceeded|Initial scale was never achieved/i.test(all)) return "deadline";
  if (/ExitCode\d|exit code|Container failed with|CrashLoopBackOff/i.test(all)) return "ends";
  return ready === "False" ? "read" : "wait";
}

/** Without what Knative wraps around a program's last words. */
export const unwrapped = (message: string): string =>
  message.replace(/^(Configuration "[^"]*" does not have any ready Revision\.?\s*)?(Revision "[^"]*" failed with message: )?(Container failed with: )?/, "").trim();

/** What all revisions of a service do together. */
export function together(samples: readonly Sample[]): { concurrency: number; target: number; queued: number; panic: boolean; desired: number; metric: string; stable: number } {
  const sum = (of: (sample: Sample) => number): number => samples.reduce((total, each) => total + of(each), 0);
  const busiest = samples.reduce<Sample | undefined>((most, each) => (most === undefined || each.ready > most.ready ? each : most), undefined);
  return {
    concurrency: sum((each) => each.concurrency),
    queued: sum((each) => each.queued),
    desired: sum((each) => each.desired),
    stable: sum((each) => each.stable),
    target: busiest?.target ?? 0,
    metric: busiest?.metric ?? "",
    panic: samples.some((each) => each.panic),
  };
}

/** `0`, `0.4`, `12`: as many digits as anybody looks at. */
export function amount(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return trimmed(value, Math.abs(value) < 10 ? 1 : 0);
}
