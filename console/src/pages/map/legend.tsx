/** What lines and dots mean. */
import { messages } from "../../i18n";
import { Dots } from "../../ui/dots";
import { texts } from "./messages";

const t = messages(texts);

export function Legend() {
  return (
    <details class="legend">
      <summary>{t("legend")}</summary>
      <ul>
        <li><Line role="sends" />{t("legendSends")}</li>
        <li><Line role="binds" />{t("legendBinds")}</li>
        <li><Line role="replies" />{t("legendReplies")}</li>
        <li><Line role="dead-letters" />{t("legendDead")}</li>
        <li>
          <span class="dots"><Dots most={5} dots={(["ready", "starting", "frozen", "failed", "gone"] as const).map((tone) => ({ key: tone, tone }))} /></span>
          {t("legendInstance")}
        </li>
      </ul>
    </details>
  );
}

function Line({ role }: { role: string }) {
  return (
    <svg width="36" height="10" aria-hidden="true" focusable="false" class={`wire ${role}`}>
      <path class="line" d="M1 5h34" />
    </svg>
  );
}
