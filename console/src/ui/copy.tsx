import { useState } from "preact/hooks";

import { messages } from "../i18n";
import { IconButton } from "./button";
import { texts } from "./messages";
import { toast } from "./toast";

const t = messages(texts);

/** Puts a text on the clipboard. */
export function Copy({ text, label }: { text: string; label?: string }) {
  const [done, set] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      set(true);
      setTimeout(() => set(false), 1500);
    } catch {
      toast(t("uncopied"), "warning");
    }
  };
  return (
    <>
      <IconButton icon={done ? "check" : "copy"} label={label ?? t("copy")} onClick={() => void copy()} />
      <span class="unseen" aria-live="polite">{done ? t("copied") : ""}</span>
    </>
  );
}
