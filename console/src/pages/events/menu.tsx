import { messages } from "../../i18n";
import { Button } from "../../ui/button";
import { copyText, save } from "../../ui/clipboard";
import { asCurl, asSend } from "./commands";
import { texts } from "./messages";
import type { Story } from "./types";

const t = messages(texts);

/** The event for elsewhere: as a command, as a file. */
export function Menu({ story }: { story: Story }) {
  const command = asSend(story.event, story.to, location.port);
  const file = (): void => save(`${String(story.event["id"] ?? "event")}.json`, JSON.stringify(story.event, null, 2), "application/cloudevents+json");
  return (
    <details class="events-menu">
      <summary class="button quiet">{t("more")} …</summary>
      <div class="panel events-menu-items">
        <Button kind="quiet" icon="copy" onClick={() => void copyText(asCurl(story.event, story.to, location.origin))}>{t("copyCurl")}</Button>
        {command && <Button kind="quiet" icon="copy" onClick={() => void copyText(command)}>{t("copySend")}</Button>}
        <Button kind="quiet" icon="download" onClick={file}>{t("save")}</Button>
      </div>
    </details>
  );
}
