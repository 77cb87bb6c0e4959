import { useEffect, useRef } from "preact/hooks";

import { meta } from "../api";
import { messages } from "../i18n";
import { reconnect, refused, retryAt, shown } from "../live";
import { now } from "../now";
import { Button } from "../ui/button";
import { texts } from "./messages";

const t = messages(texts);

/** Says that the connection is lost, and when it is tried again. */
export function Lost() {
  const state = shown.value;
  const was = useRef(state);
  useEffect(() => {
    if (state === "lost") was.current = state;
    else if (state === "open" && was.current === "lost") {
      was.current = state;
      void loadAnew();
    }
  }, [state]);
  if (state !== "lost") return null;
  const left = Math.max(0, Math.ceil((retryAt.value - now.value) / 1000));
  const when = left === 0 ? t("now") : t("seconds", { n: left });
  return (
    <div class="lost-bar" role="alert">
      {/* The seconds go on counting; read aloud once is enough. */}
      <span class="unseen">{t("lost")}</span>
      <span aria-hidden="true">{refused.value ? t("refusedWhy", { why: refused.value, when }) : t("lostWhy", { when })}</span>
      <Button onClick={reconnect} icon="refresh">{t("retry")}</Button>
    </div>
  );
}

/** The page of an earlier run may change nothing, and its files may be gone: if this is another run,
 * load its page. */
async function loadAnew(): Promise<void> {
  const answer = await fetch("/", { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.ok && !(await answer.text()).includes(meta("token"))) location.reload();
}
