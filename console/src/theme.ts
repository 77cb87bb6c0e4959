/** Light, dark, or as the system is. */
import { effect, signal } from "@preact/signals";

import { keep, kept } from "./kept";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = signal<Theme>(THEMES.find((each) => each === kept("theme")) ?? "system");

export function chooseTheme(next: Theme): void {
  theme.value = next;
  keep("theme", next);
}

/** Grows with every change of colors, for what draws by itself (canvas). */
export const repainted = signal(0);

/** Make the page look as chosen, from now on. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
    repainted.value = repainted.peek() + 1;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (repainted.value += 1));
}

/** The color that a custom property stands for now, as `rgb(…)`. */
export function colorOf(property: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
