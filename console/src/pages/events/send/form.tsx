import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { ApiError, get } from "../../../api";
import { messages } from "../../../i18n";
import { useKeys } from "../../../keys";
import { ask, href, route } from "../../../router";
import { selection } from "../../../selection";
import { graph, followGraph } from "../../../state/graph";
import { useFollowing } from "../../../state/follow";
import { Button, ButtonLink } from "../../../ui/button";
import { EditorLater } from "../../../ui/editorlater";
import { Note, Trouble } from "../../../ui/empty";
import { Field, Select, Switch } from "../../../ui/field";
import { dataFault, draftOf, EMPTY, faults, isJson, isSound, type Draft } from "../draft";
import { texts } from "../messages";
import type { Sent, Story } from "../types";
import { Attributes } from "./attributes";
import { DryRun } from "./dryrun";
import { Followed } from "./followed";
import { send } from "./sending";
import { targetOf, TargetPicker, type Chosen } from "./targetpicker";
import { templates, type Templates } from "./templates";

const t = messages(texts);

/** What is being written stays while one looks at other pages. */
const written = signal<Draft>(EMPTY);
const chosen = signal<Chosen>({ at: "", url: "" });
const mode = signal<"structured" | "binary">("structured");

/** Writes an event, says meanwhile who would get it, sends it, and shows what becomes of it. */
export function SendForm() {
  useFollowing(followGraph);
  const [sent, setSent] = useState<Sent | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [touched, setTouched] = useState(false);
  usePrefilled(setError);
  const draft = written.value;
  const at = selection.value;
  const target = targetOf(chosen.value.at === "" && at ? { ...chosen.value, at: `${at.kind}/${at.namespace}/${at.name}` } : chosen.value, graph.value.nodes);
  const change = (some: Partial<Draft>): void => {
    // Who writes on writes another one: the story of the last one gives way to who would get this.
    setSent(null);
    written.value = { ...written.value, ...some };
  };
  const submit = async (): Promise<void> => {
    setTouched(true);
    if (busy || !target || !isSound(written.value)) return;
    setBusy(true);
    setError(null);
    try {
      setSent(await send(written.value, target, mode.value));
    } catch (wrong) {
      setError(wrong instanceof ApiError ? wrong : new ApiError(0, "", String(wrong)));
    } finally {
      setBusy(false);
    }
  };
  useKeys([{ keys: "Ctrl+enter", label: () => t("keySend"), run: () => void submit() }]);
  return (
    <div class="page send">
      <div class="page-head">
        <h1>{t("form")}</h1>
        <span class="spread row">
          <Button kind="quiet" icon="refresh" onClick={() => { written.value = EMPTY; setSent(null); setTouched(false); }}>{t("clearForm")}</Button>
          <ButtonLink kind="quiet" icon="left" href={href("events")}>{t("back")}</ButtonLink>
        </span>
      </div>
      <div class="send-columns">
        <form class="panel padded stack" aria-label={t("form")} noValidate onSubmit={(event) => { event.preventDefault(); void submit(); }}>
          <div class="send-top">
            <TargetPicker chosen={chosen.value.at === "" && at ? { ...chosen.value, at: `${at.kind}/${at.namespace}/${at.name}` } : chosen.value} onChange={(next) => { chosen.value = next; }} />
            <TemplatePicker onDraft={(next) => { written.value = next; }} onError={setError} />
          </div>
          <Attributes draft={draft} faults={faults(draft)} touched={touched} onChange={change} />
          <Data draft={draft} onChange={change} onSubmit={() => void submit()} />
          {error !== null && <Trouble error={error} />}
          <div class="row">
            <Select bare label={t("mode")} value={mode.value} onChange={(next) => { mode.value = next === "binary" ? "binary" : "structured"; }} options={[{ value: "structured", label: t("structured") }, { value: "binary", label: t("binaryMode") }]} />
            <span class="spread row"><kbd>Ctrl Enter</kbd><Button submit kind="primary" icon="send" busy={busy} disabled={!target}>{t("submit")}</Button></span>
          </div>
        </form>
        <div class="stack send-beside">
          {sent && <Came sent={sent} onAnother={() => setSent(null)} />}
          <section class="panel padded stack" aria-label={t("dryRun")}>
            <h2>{t("dryRun")}</h2>
            <DryRun draft={draft} target={target} />
          </section>
        </div>
      </div>
    </div>
  );
}

/** What became of what was sent. */
function Came({ sent, onAnother }: { sent: Sent; onAnother: () => void }) {
  const taken = sent.status >= 200 && sent.status < 300;
  return (
    <section class="panel padded stack" aria-label={t("tooNew")}>
      <div class="row">
        <h2>{sent.arrival > 0 ? t("tooNew") : sent.id}</h2>
        <span class="spread"><Button kind="quiet" icon="close" onClick={onAnother}>{t("another")}</Button></span>
      </div>
      {sent.arrival > 0 ? (
        <Followed arrival={sent.arrival} />
      ) : (
        <Note tone={taken ? "good" : "warning"}>{sent.status > 0 ? `${t("answered", { url: sent.url, status: sent.status })}${sent.why ? `: ${sent.why}` : ""}` : t("unreached", { url: sent.url, why: sent.why })}</Note>
      )}
    </section>
  );
}

function Data({ draft, onChange, onSubmit }: { draft: Draft; onChange: (some: Partial<Draft>) => void; onSubmit: () => void }) {
  const wrong = dataFault(draft);
  const json = isJson(draft.datacontenttype) && !draft.binary;
  const layOut = (): void => onChange({ data: JSON.stringify(JSON.parse(draft.data), null, 2) });
  return (
    <div class="stack send-data">
      <div class="row">
        <span class="send-label">{t("data")}</span>
        <span class="spread row">
          {json && <Button kind="quiet" disabled={wrong !== null || draft.data === ""} onClick={layOut}>{t("layout")}</Button>}
          <Switch label={t("base64")} on={draft.binary} onChange={(binary) => onChange({ binary })} />
        </span>
      </div>
      <Field label="datacontenttype" mono value={draft.datacontenttype} error={faults(draft).datacontenttype && t("fault.notMedia")} options={["application/json", "text/plain", "application/xml", "application/octet-stream"]} onInput={(datacontenttype) => onChange({ datacontenttype })} />
      <EditorLater label={t("data")} as={json ? "json" : "text"} text={draft.data} onChange={(data) => { if (data !== written.peek().data) onChange({ data }); }} onSubmit={onSubmit} />
      {wrong && <p class="error" role="status">{t(`fault.${wrong.fault}`)}{wrong.said && `: ${wrong.said}`}</p>}
    </div>
  );
}

function TemplatePicker({ onDraft, onError }: { onDraft: (draft: Draft) => void; onError: (error: unknown) => void }) {
  const [found, set] = useState<Templates>({ types: [], past: [] });
  useEffect(() => {
    const aborting = new AbortController();
    void templates(aborting.signal).then((all) => {
      if (!aborting.signal.aborted) set(all);
    });
    return () => aborting.abort();
  }, []);
  const all = [...found.types, ...found.past];
  const choose = (key: string): void => {
    all.find((each) => each.key === key)?.draft().then(onDraft, onError);
  };
  return (
    <Select
      label={t("template")}
      value=""
      onChange={choose}
      options={[
        { value: "", label: t("noTemplate") },
        ...found.types.map(({ key, label }) => ({ value: key, label: `${t("fromType")}: ${label}` })),
        ...found.past.map(({ key, label }) => ({ value: key, label: `${t("fromPast")}: ${label}` })),
      ]}
    />
  );
}

/** `?event=ARRIVAL`: an event that came, to be edited and sent as another one. */
function usePrefilled(onError: (error: unknown) => void): void {
  const arrival = Number(route.value.query["event"] ?? 0);
  useEffect(() => {
    if (!(arrival > 0)) return;
    get<Story>(`/knlite/events/${arrival}`).then(({ event, to }) => {
      written.value = draftOf(event);
      chosen.value = { at: `${to.kind}/${to.namespace}/${to.name}`, url: "" };
      ask({ event: undefined });
    }, onError);
  }, [arrival]);
}
