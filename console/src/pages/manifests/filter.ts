/** Which objects are listed. Pure. */
import type { Listed } from "../../state/objects";

export interface Wanted {
  readonly text: string;
  readonly kind: string;
  readonly namespace: string;
  /** Only what is not ready. */
  readonly troubled: boolean;
  /** Also what other objects make, and what comes with knlite. */
  readonly generated: boolean;
}

export function filtered(all: readonly Listed[], wanted: Wanted, covers: (object: Listed) => boolean): Listed[] {
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((object) => {
    if (object.own && !wanted.generated && words.length === 0) return false;
    if (wanted.kind && kindOf(object) !== wanted.kind) return false;
    if (wanted.namespace && object.namespace !== wanted.namespace) return false;
    if (wanted.troubled && (object.ready === "True" || object.ready === "")) return false;
    if (!covers(object)) return false;
    const named = `${object.kind} ${object.namespace}/${object.name} ${object.plural}.${object.group} ${object.source}`.toLowerCase();
    return words.every((word) => named.includes(word));
  });
}

/** A kind with its group: there are two called Service. */
export const kindOf = (object: Pick<Listed, "kind" | "group">): string => (object.group ? `${object.kind}.${object.group}` : object.kind);

/** The kinds there are, most wanted first: those of people before those that are made. */
export function kindsOf(all: readonly Listed[]): { value: string; label: string }[] {
  const found = new Map<string, { label: string; own: boolean }>();
  for (const object of all) {
    const value = kindOf(object);
    const before = found.get(value);
    found.set(value, { label: object.kind, own: (before?.own ?? true) && object.own !== "" });
  }
  const labels = [...found.values()].map(({ label }) => label);
  return [...found.entries()]
    .sort(([a, one], [b, other]) => Number(one.own) - Number(other.own) || a.localeCompare(b))
    .map(([value, { label }]) => ({ value, label: labels.filter((each) => each === label).length > 1 ? value : label }));
}

export const namespacesOf = (all: readonly Listed[]): string[] => [...new Set(all.map((object) => object.namespace).filter(Boolean))].sort();

/** The end of a path: what one knows a file by. */
export function shortened(file: string): string {
  const parts = file.split("/");
  return parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : file;
}
