import { useEffect, useState } from "preact/hooks";

import { choose, language, messages } from "../i18n";
import { forgetSkipped, shown, skipped } from "../live";
import { route } from "../router";
import { select, selection } from "../selection";
import { chooseTheme, theme, THEMES } from "../theme";
import { IconButton } from "../ui/button";
import { Icon, type IconName } from "../ui/icon";
import { texts } from "./messages";
import { Notices } from "./notices";

const t = messages(texts);
const THEME_ICONS: Record<(typeof THEMES)[number], IconName> = { system: "auto", light: "sun", dark: "moon" };

export function TopBar({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const [told, setTold] = useState(false);
  const { page } = route.value;
  // What lies over one page is not what the next one was opened for.
  useEffect(() => setTold(false), [page]);
  return (
    <header class="topbar">
      <button type="button" class="go-to" onClick={onPalette} title={t("palette")} aria-keyshortcuts="Control+K">
        <Icon name="search" />
        <span>{t("goTo")}</span>
        <kbd>Ctrl K</kbd>
      </button>
      <Chip />
      <div class="spread">
        <Skipped />
        <Connection />
        <IconButton icon="bell" label={t("notices")} onClick={() => setTold(!told)} expanded={told} />
        <Language />
        <Theme />
        <IconButton icon="help" label={`${t("help")} (?)`} onClick={onHelp} />
      </div>
      {told && <Notices onClose={() => setTold(false)} />}
    </header>
  );
}

/** What is selected; every page shows only what has to do with it. */
function Chip() {
  const what = selection.value;
  if (!what) return null;
  const name = `${what.namespace === "default" ? "" : `${what.namespace}/`}${what.name}`;
  return (
    <span class="chip" title={t("selected", { what: `${what.kind} ${what.namespace}/${what.name}` })}>
      <span class="chip-kind">{what.kind}</span>
      <span class="cut">{name}</span>
      <button type="button" aria-label={t("unselect")} title={t("unselect")} onClick={() => select(null)}><Icon name="close" size={12} /></button>
    </span>
  );
}

function Connection() {
  const state = shown.value;
  if (state === "lost") return <span class="status lost" role="status"><span class="lamp" /><span>{t("lost")}</span></span>;
  const word = state === "open" ? t("live") : state === "connecting" ? t("connecting") : t("idle");
  return <span class={`status ${state === "open" ? "ready" : state}`} role="status" title={word}><span class="lamp" /><span>{word}</span></span>;
}

/** How much the page has missed because it was slow. */
function Skipped() {
  const topics = Object.entries(skipped.value);
  if (topics.length === 0) return null;
  const n = topics.reduce((sum, [, count]) => sum + count, 0);
  const why = t("skippedWhy", { n, topics: topics.map(([topic]) => topic).join(", ") });
  return (
    <button type="button" class="status skipped" title={why} aria-label={why} onClick={forgetSkipped}>
      <Icon name="warning" size={14} />
      <span>{t("skippedSome", { n })}</span>
    </button>
  );
}

function Language() {
  const other = language.value === "en" ? "es" : "en";
  return (
    <button type="button" class="icon-button" lang={other} aria-label={`${other.toUpperCase()}: ${t("language")}`} title={t("language")} onClick={() => choose(other)}>
      <span aria-hidden="true">{other.toUpperCase()}</span>
    </button>
  );
}

function Theme() {
  const current = theme.value;
  const label = t(current === "system" ? "themeSystem" : current === "light" ? "themeLight" : "themeDark");
  const next = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? "system";
  return <IconButton icon={THEME_ICONS[current]} label={label} onClick={() => chooseTheme(next)} />;
}
