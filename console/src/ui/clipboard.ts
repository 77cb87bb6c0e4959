/** What leaves the page: texts to the clipboard, and files. */
import { messages } from "../i18n";
import { texts } from "./messages";
import { toast } from "./toast";

const t = messages(texts);

/** Put a text on the clipboard, and say so in these words; a browser may forbid it. */
export async function copyText(text: string, said = t("copied"), unsaid = t("uncopied")): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(said, "good");
  } catch {
    toast(unsaid, "warning");
  }
}

/** Milliseconds in which a browser has begun to read what it saves. */
const READ = 1000;

/** Have the browser save something as a file. */
export function save(name: string, data: string | Uint8Array<ArrayBuffer>, type: string): void {
  const url = URL.createObjectURL(new Blob([data], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replace(/[^\w.-]+/g, "_").slice(0, 100) || "file";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), READ);
}
