/** What is selected on the map, and filters every page: kept in the address as `at=Kind/ns/name`. */
import { computed } from "@preact/signals";

import { ask, route } from "./router";

export interface Selection {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export const selection = computed<Selection | null>(() => parse(route.value.query["at"] ?? ""));

export function parse(text: string): Selection | null {
  const [kind, namespace, name, ...more] = text.split("/");
  if (!kind || !namespace || !name || more.length > 0) return null;
  return { kind, namespace, name };
}

export const format = (what: Selection): string => `${what.kind}/${what.namespace}/${what.name}`;

export function select(what: Selection | null): void {
  ask({ at: what ? format(what) : undefined });
}
