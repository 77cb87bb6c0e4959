/** The traffic of a service as it is being changed: shares of a hundred, with handles between them.
 * Pure. What is written back is what was there, but for the shares. */

/** One entry of `spec.traffic`; what this page does not know goes back as it came. */
export interface WantedTarget {
  readonly revisionName?: string;
  readonly configurationName?: string;
  readonly latestRevision?: boolean;
  readonly percent?: number;
  readonly tag?: string;
  readonly [other: string]: unknown;
}

export interface Target {
  /** Names it in the page while shares change. */
  readonly key: string;
  readonly wanted: WantedTarget;
  /** The revision that is meant; empty if it is the latest and there is none yet. */
  readonly revision: string;
  readonly latest: boolean;
  readonly tag: string;
  readonly percent: number;
}

/** The targets of `wanted`, of which the latest is `latest` now. */
export function targetsOf(wanted: readonly WantedTarget[], latest: string): Target[] {
  return wanted.map((each, index) => {
    const follows = !each.revisionName;
    return {
      key: `${index}/${each.revisionName ?? ""}/${each.tag ?? ""}`,
      wanted: each,
      revision: each.revisionName ?? latest,
      latest: follows,
      tag: each.tag ?? "",
      percent: each.percent ?? 0,
    };
  });
}

/** `spec.traffic` for `targets`. */
export const wantedOf = (targets: readonly Target[]): WantedTarget[] => targets.map((each) => ({ ...each.wanted, percent: each.percent }));

/** Where the handles are: after each target but the last, in percent from the left. */
export function bounds(targets: readonly Target[]): number[] {
  let sum = 0;
  return targets.slice(0, -1).map((each) => (sum += each.percent));
}

/** The handle after target `index` goes to `place`, and pushes those that are in its way. */
export function moved(targets: readonly Target[], index: number, place: number): Target[] {
  const to = Math.max(0, Math.min(100, Math.round(place)));
  const places = bounds(targets).map((each, at) => (at < index ? Math.min(each, to) : at > index ? Math.max(each, to) : to));
  return withShares(targets, [...places, 100].map((each, at) => each - (at > 0 ? (places[at - 1] ?? 0) : 0)));
}

/** Target `index` gets `percent`; the others keep their proportions in what is left. */
export function given(targets: readonly Target[], index: number, percent: number): Target[] {
  if (targets.length < 2) return withShares(targets, [100]);
  const share = Math.max(0, Math.min(100, Math.round(percent) || 0));
  const others = targets.map((each, at) => (at === index ? 0 : each.percent));
  const sum = others.reduce((total, each) => total + each, 0);
  const left = 100 - share;
  const exact = others.map((each, at) => (at === index ? share : sum > 0 ? (each * left) / sum : left / (targets.length - 1)));
  return withShares(targets, whole(exact, index));
}

/** All get the same. */
export function even(targets: readonly Target[]): Target[] {
  return withShares(targets, whole(targets.map(() => 100 / targets.length), -1));
}

/** `revision` has a place too, with nothing at first. */
export function added(targets: readonly Target[], revision: string): Target[] {
  const key = `new/${revision}`;
  return [...targets, { key, wanted: { revisionName: revision, latestRevision: false }, revision, latest: false, tag: "", percent: 0 }];
}

/** Target `index` goes, and its share to the one before it (to the next, if it is the first). */
export function removed(targets: readonly Target[], index: number): Target[] {
  const heir = index > 0 ? index - 1 : 1;
  const share = targets[index]?.percent ?? 0;
  return targets.map((each, at) => (at === heir ? { ...each, percent: each.percent + share } : each)).filter((_, at) => at !== index);
}

export const same = (some: readonly Target[], others: readonly Target[]): boolean =>
  some.length === others.length && some.every((each, index) => each.revision === others[index]?.revision && each.latest === others[index]?.latest && each.tag === others[index]?.tag && each.percent === others[index]?.percent);

/** `70 : 30`, for a button. */
export const inShort = (targets: readonly Target[]): string => targets.filter((each) => each.percent > 0).map((each) => each.percent).join(" : ");

/** Where a name is too long, its end tells revisions apart. */
export const shortName = (revision: string, service: string): string => (revision.startsWith(`${service}-`) ? revision.slice(service.length) : revision);

const withShares = (targets: readonly Target[], shares: readonly number[]): Target[] => targets.map((each, index) => ({ ...each, percent: shares[index] ?? 0 }));

/** Whole numbers whose sum is 100, each as near as can be; that at `kept` stays as it is. */
function whole(exact: readonly number[], kept: number): number[] {
  const floors = exact.map((each) => Math.floor(each + 1e-9));
  let missing = 100 - floors.reduce((total, each) => total + each, 0);
  const order = exact
    .map((each, index) => ({ index, rest: each - Math.floor(each + 1e-9) }))
    .filter(({ index }) => index !== kept)
    .sort((one, other) => other.rest - one.rest);
  for (const { index } of order) {
    if (missing <= 0) break;
    floors[index] = (floors[index] ?? 0) + 1;
    missing -= 1;
  }
  return floors;
}
