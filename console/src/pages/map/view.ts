/** Whether the map is drawn or listed: a person's choice, remembered. */
import { signal } from "@preact/signals";

import { kept } from "../../kept";

export type View = "drawing" | "list";

export const view = signal<View>(kept("map") === "list" ? "list" : "drawing");
