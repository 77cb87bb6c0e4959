/** All objects there are, by name: what the palette goes to and the Manifests page lists. */
import { signal } from "@preact/signals";

import { get } from "../api";
import type { Place } from "../router";

export interface Listed {
  readonly group: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly kind: string;
  /** Empty for what belongs to no namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly ready: "True" | "False" | "Unknown" | "";
  readonly reason: string;
  readonly message: string;
  readonly created: string;
  /** Where it was declared, as FILE:LINE; empty if it was not declared by a file. */
  readonly source: string;
  /** Made by another object, or a part of the platform. */
  readonly own: "" | "owned" | "platform";
}

export const objects = signal<readonly Listed[]>([]);

export async function loadObjects(): Promise<void> {
  objects.value = (await get<{ items: readonly Listed[] }>("/knlite/manifests")).items;
}

/** Where an object is looked at: services have a page of their own. */
export function placeOf(object: Listed): { page: Place["page"]; rest: string[] } {
  if (object.group === "serving.knative.dev" && object.kind === "Service") return { page: "services", rest: [object.namespace, object.name] };
  return { page: "manifests", rest: manifestPath(object) };
}

/** `-` stands for no namespace: an empty part would be lost. */
export function manifestPath(object: Pick<Listed, "group" | "version" | "plural" | "namespace" | "name">): string[] {
  return [object.group || "core", object.version, object.plural, object.namespace || "-", object.name];
}
