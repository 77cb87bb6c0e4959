import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { messages } from "../i18n";
import { useKeys, type Key } from "../keys";
import { go, href, PAGES, type Page } from "../router";
import { useFollowing } from "../state/follow";
import { followNotices } from "../state/notices";
import { Icon } from "../ui/icon";
import { Toasts } from "../ui/toast";
import { Help } from "./help";
import { Lost } from "./lost";
import { texts } from "./messages";
import { Palette } from "./palette";
import { TopBar } from "./topbar";
import "./frame.css";

const t = messages(texts);

/** The second key after `g`. */
const LETTERS: Record<Page, string> = { map: "m", services: "s", requests: "r", events: "e", logs: "l", manifests: "y" };

/** What stands around every page. */
export function Frame({ page, children }: { page: Page; children: ComponentChildren }) {
  const [open, setOpen] = useState<"palette" | "help" | null>(null);
  const main = useRef<HTMLElement>(null);
  useFollowing(followNotices);
  useKeys([
    ...PAGES.map((each): Key => ({ keys: `g ${LETTERS[each]}`, label: () => t("keyPage", { page: t(each) }), run: () => go(each) })),
    { keys: "/", label: () => t("keySearch"), run: () => document.querySelector<HTMLElement>("main [data-search]")?.focus() },
    { keys: "?", label: () => t("keyHelp"), run: () => setOpen("help") },
    { keys: "Ctrl+k", label: () => t("keyPalette"), run: () => setOpen("palette") },
  ]);
  useEffect(() => {
    document.title = `${t(page)} · knlite`;
  });
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>{t("skip")}</button>
      <nav class="rail" aria-label={t("pages")}>
        <a class="brand" href={href("map")} aria-label="knlite">
          <Brand />
          <span aria-hidden="true">knlite</span>
        </a>
        {PAGES.map((each) => (
          <a key={each} class="rail-link" href={href(each)} aria-current={each === page ? "page" : undefined} aria-keyshortcuts={`g ${LETTERS[each]}`} title={`${t(each)} (g ${LETTERS[each]})`}>
            <Icon name={each} size={18} />
            <span>{t(each)}</span>
          </a>
        ))}
      </nav>
      <TopBar onPalette={() => setOpen("palette")} onHelp={() => setOpen("help")} />
      {/* A page's styles are nested in its class: they stay when another is shown, and must not reach it. */}
      <main id="main" class={page} ref={main} tabIndex={-1}>{children}</main>
      <Lost />
      <Toasts />
      {open === "palette" && <Palette onClose={() => setOpen(null)} />}
      {open === "help" && <Help onClose={() => setOpen(null)} />}
    </div>
  );
}

function Brand() {
  return (
    <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect width="24" height="24" rx="6" fill="var(--accent-fill)" />
      <path d="M7.5 5.5v13M7.5 13l8-7.5M10.3 10.5 16.5 18.5" stroke="#fff" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" fill="none" />
    </svg>
  );
}
