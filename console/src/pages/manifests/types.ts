/** What `/knlite/manifests` answers. */
import type { Problem } from "../../ui/editor";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface Change {
  readonly at: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

interface Difference {
  readonly path: string;
  readonly declared: unknown;
  readonly now: unknown;
}

export interface Opening {
  readonly yaml: string;
  readonly state: string;
  readonly uid: string;
  readonly kind: string;
  readonly hidden: boolean;
  readonly fixed: string;
  readonly declared: { readonly file: string; readonly line: number; readonly differences: readonly Difference[] | null } | null;
  readonly conditions: readonly Condition[];
  readonly history: readonly Change[];
}

export interface Written {
  readonly line: number;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly action: "created" | "configured" | "unchanged";
}

export interface Result {
  readonly applied: boolean;
  readonly documents: readonly Written[];
  readonly problems: readonly Problem[];
}
