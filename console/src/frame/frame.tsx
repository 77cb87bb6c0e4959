import type { ComponentChildren } from "preact";

import { messages } from "../i18n";
import { href, PAGES, type Page } from "../router";
import { texts } from "./messages";
import "./frame.css";

const t = messages(texts);

/** What stands around every page. */
export function Frame({ page, children }: { page: Page; children: ComponentChildren }) {
  return (
    <div class="frame">
      <nav class="rail" aria-label={t("pages")}>
        {PAGES.map((each) => (
          <a key={each} href={href(each)} aria-current={each === page ? "page" : undefined}>
            {t(each)}
          </a>
        ))}
      </nav>
      <main id="main" tabIndex={-1}>{children}</main>
    </div>
  );
}
