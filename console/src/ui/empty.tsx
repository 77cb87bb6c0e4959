import type { ComponentChildren } from "preact";

import { ApiError } from "../api";
import { messages } from "../i18n";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";
import { texts } from "./messages";
import "./empty.css";

const t = messages(texts);

/** What stands where nothing is yet: what would be here, and how it gets here. */
export function Empty({ icon, title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      {icon && <Icon name={icon} size={28} />}
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

/** What went wrong, in the server's words. */
export function Trouble({ error, retry }: { error: unknown; retry?: () => void }) {
  const text = error instanceof Error ? error.message : String(error);
  const causes = error instanceof ApiError ? error.causes.filter((cause) => !text.includes(cause.message)) : [];
  return (
    <div class="trouble" role="alert">
      <Icon name="warning" />
      <div>
        <p>{text}</p>
        {causes.map((cause) => <p key={cause.field + cause.message}>{cause.field ? `${cause.field}: ` : ""}{cause.message}</p>)}
      </div>
      {retry && <Button onClick={retry} icon="refresh">{t("retry")}</Button>}
    </div>
  );
}

/** A remark beside what it is about. */
export function Note({ tone = "info", children }: { tone?: "info" | "warning" | "good"; children: ComponentChildren }) {
  return (
    <div class={`note ${tone}`}>
      <Icon name={tone === "warning" ? "warning" : tone === "good" ? "check" : "info"} />
      <div>{children}</div>
    </div>
  );
}
