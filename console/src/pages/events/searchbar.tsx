import type { ComponentChildren } from "preact";

import { messages } from "../../i18n";
import { ask, route } from "../../router";
import { Search, Select } from "../../ui/field";
import { texts } from "./messages";
import { RANGES } from "./ranges";
import { isState, parse, withFacet } from "./search";
import { STATES } from "./types";

const t = messages(texts);

/** What is searched for; other pages link with `id=…`. */
export const facetsOf = (query: Readonly<Record<string, string>>): string =>
  query["id"] ? withFacet(query["q"] ?? "", "id", query["id"]) : (query["q"] ?? "");

/** The search, a state and a time range to choose; what else belongs to the list stands behind. */
export function SearchBar({ typed, onType, states = STATES, children }: { typed: string; onType: (next: string) => void; states?: readonly string[]; children?: ComponentChildren }) {
  const state = parse(typed).facets.state ?? "";
  return (
    <div class="row events-search" title={t("searchHelp")}>
      <Search label={t("search")} value={typed} onInput={onType} />
      <Select
        bare
        label={t("state")}
        value={isState(state) ? state : ""}
        onChange={(next) => onType(withFacet(typed, "state", next))}
        options={[{ value: "", label: t("anyState") }, ...states.filter(isState).map((each) => ({ value: each, label: t(`state.${each}`) }))]}
      />
      <Select
        bare
        label={t("since")}
        value={route.value.query["when"] ?? ""}
        onChange={(next) => ask({ when: next })}
        options={[
          { value: "", label: t("ever") },
          ...Object.keys(RANGES).map((each) => ({ value: each, label: t(each.endsWith("m") ? "minutes" : "hours", { n: parseInt(each, 10) }) })),
        ]}
      />
      {children}
    </div>
  );
}
