import { useRef, useState } from "preact/hooks";

import { size } from "../../format";
import { messages } from "../../i18n";
import { useEscape } from "../../keys";
import { go, href } from "../../router";
import { loadObjects, manifestPath } from "../../state/objects";
import { Button } from "../../ui/button";
import Editor from "../../ui/editor";
import { Select } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";
import { draft, keepDraft } from "./drafts";
import { texts } from "./messages";
import { Outcome } from "./outcome";
import { TEMPLATES } from "./templates";
import { send, useTrial } from "./trial";

const t = messages(texts);
const NEW = "new";
/** What the server takes. */
const MOST = 512 * 1024;

/** Objects from a text that is written here, or from a file that is dropped. */
export function Create() {
  const [text, setText] = useState(draft(NEW) ?? "");
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [reveal, setReveal] = useState<{ line: number } | undefined>();
  const picker = useRef<HTMLInputElement>(null);
  const trial = useTrial(text, null, false);
  const errors = trial.problems.some((problem) => problem.level === "error");
  const change = (next: string): void => {
    setText(next);
    keepDraft(NEW, next.trim() === "" || Object.values(TEMPLATES).includes(next) ? null : next);
  };
  const take = async (files: FileList | null | undefined): Promise<void> => {
    const read: string[] = [];
    for (const file of files ?? []) {
      if (file.size > MOST) toast(t("tooLong", { size: size(file.size) }), "warning");
      else read.push((await file.text()).trimEnd());
    }
    if (read.length > 0) change([...(text.trim() ? [text.trimEnd()] : []), ...read].join("\n---\n") + "\n");
  };
  const apply = async (): Promise<void> => {
    if (busy || errors || text.trim() === "") return;
    setBusy(true);
    try {
      const result = await send(text, null, false);
      if (result.applied) {
        toast(t("applied", { n: result.documents.length }), "good");
        keepDraft(NEW, null);
        void loadObjects();
        const [only, ...more] = result.documents;
        if (only && more.length === 0) go("manifests", manifestPath(only));
        else go("manifests");
      } else toast(result.problems.map((problem) => problem.message).join("\n"), "warning");
    } catch (failed) {
      toast(failed instanceof Error ? failed.message : String(failed), "warning");
    } finally {
      setBusy(false);
    }
  };
  useEscape(() => go("manifests"));
  return (
    <section
      class={`manifest-view panel${over ? " over" : ""}`}
      aria-label={t("newTitle")}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files);
      }}
    >
      <header class="manifest-head">
        <a class="icon-button" href={href("manifests")} aria-label={t("back")} title={t("back")}><Icon name="left" /></a>
        <h2 class="cut">{t("newTitle")}</h2>
        <span class="spread row">
          <Button kind="primary" disabled={text.trim() === "" || errors || trial.state === "trying"} busy={busy} onClick={() => void apply()} title={t("submitHint")}>{t("apply")}</Button>
        </span>
      </header>
      <div class="manifest-text">
        <p class="quiet">{t("newHint")}</p>
        <div class="row manifest-options">
          <Select bare label={t("template")} value="" onChange={(name) => change(TEMPLATES[name] ?? "")} options={[{ value: "", label: `${t("template")} …` }, ...Object.keys(TEMPLATES).map((name) => ({ value: name, label: name }))]} />
          <Button icon="upload" onClick={() => picker.current?.click()}>{t("choose")}</Button>
          <input ref={picker} type="file" hidden multiple accept=".yaml,.yml,.json" onChange={(event) => void take(event.currentTarget.files)} />
        </div>
        <Editor text={text} as="yaml" label={t("newTitle")} onChange={change} onSubmit={() => void apply()} problems={trial.problems} reveal={reveal} />
        <Outcome trial={trial} onLine={(line) => setReveal({ line })} />
      </div>
    </section>
  );
}
