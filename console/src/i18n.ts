/** The two languages of the page. Knative's own words, and sentences of the server, stay English. */
import { signal } from "@preact/signals";

import { keep, kept } from "./kept";

export type Language = "en" | "es";
export type Values = Record<string, string | number>;
type Translate<K extends string> = (key: K, values?: Values) => string;

export const language = signal<Language>(chosen());

export function choose(next: Language): void {
  language.value = next;
  keep("language", next);
}

/** What looks up texts: `{name}` stands for a value; of a text "one|many" the form is chosen by the
 * value `n`. Both languages have the same keys. */
export function messages<K extends string>(texts: Record<Language, Record<K, string>>): Translate<K> {
  return (key, values = {}) => fill(texts[language.value][key], values, language.value);
}

export function fill(text: string, values: Values, into: Language): string {
  const forms = text.split("|");
  const n = Number(values["n"]);
  const form = forms.length === 2 && new Intl.PluralRules(into).select(n) !== "one" ? forms[1] : forms[0];
  return (form ?? text).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

function chosen(): Language {
  const before = kept("language");
  if (before === "en" || before === "es") return before;
  return typeof navigator !== "undefined" && navigator.language.toLowerCase().startsWith("es") ? "es" : "en";
}
