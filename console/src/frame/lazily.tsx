import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import { messages } from "../i18n";
import { Button } from "../ui/button";
import "../ui/empty.css";
import { texts } from "./messages";

const t = messages(texts);

type Loaded = { default: ComponentType };

/** A component that is fetched when it is first shown. The files of a page are gone when knlite has
 * been updated meanwhile: only loading the whole page anew helps then. */
export function lazily(load: () => Promise<Loaded>): ComponentType {
  let found: ComponentType | null = null;
  return function Lazy() {
    const [state, set] = useState<"loading" | "there" | "failed">(found ? "there" : "loading");
    useEffect(() => {
      if (found) return;
      let shown = true;
      load().then(
        (module) => {
          found = module.default;
          if (shown) set("there");
        },
        () => {
          if (shown) set("failed");
        },
      );
      return () => {
        shown = false;
      };
    }, []);
    if (found) {
      const Found = found;
      return <Found />;
    }
    if (state === "loading") return <p class="quiet" aria-live="polite">{t("loading")}</p>;
    return (
      <div class="trouble" role="alert">
        <p>{t("unloaded")}</p>
        <Button onClick={() => location.reload()} icon="refresh">{t("reload")}</Button>
      </div>
    );
  };
}
