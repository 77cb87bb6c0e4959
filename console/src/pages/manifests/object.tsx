import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError, del, get } from "../../api";
import { messages } from "../../i18n";
import { useEscape } from "../../keys";
import { subscribe } from "../../live";
import { ask, go, href, route } from "../../router";
import { loadObjects, objects, type Listed } from "../../state/objects";
import { Ready } from "../../ui/badge";
import { Button, IconButton } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import Editor from "../../ui/editor";
import { Note, Trouble } from "../../ui/empty";
import { Switch } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { Tabs } from "../../ui/tabs";
import { toast } from "../../ui/toast";
import { draft, keepDraft } from "./drafts";
import { texts } from "./messages";
import { Outcome } from "./outcome";
import { Conditions, FromFile, Happenings } from "./story";
import { send, useTrial } from "./trial";
import type { Opening } from "./types";

const t = messages(texts);

/** One object: its text to edit, its conditions, what happened to it, the file that declares it. */
export function ObjectView({ parts }: { parts: readonly string[] }) {
  const path = parts.join("/");
  const [, , plural = "", named = "", name = ""] = parts;
  const namespace = named === "-" ? "" : named;
  const [opening, setOpening] = useState<Opening | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [text, setText] = useState("");
  const [whole, setWhole] = useState(false);
  const [secrets, setSecrets] = useState(false);
  const [outdated, setOutdated] = useState<"" | "changed" | "gone">("");
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [reveal, setReveal] = useState<{ line: number } | undefined>();
  const [version, setVersion] = useState(0);
  const tab = route.value.query["tab"] ?? "yaml";
  const locked = opening === null || whole || opening.hidden || opening.fixed !== "";
  const dirty = opening !== null && !locked && text !== opening.yaml;
  const edited = opening ? { path, state: opening.state } : null;
  const trial = useTrial(text, edited, !dirty);
  const listed = objects.value.find((object) => object.plural === plural && object.namespace === namespace && object.name === name && (object.group || "core") === parts[0]);

  const load = async (anew: boolean): Promise<void> => {
    try {
      const query = `?${whole ? "whole=true&" : ""}${secrets ? "secrets=true" : ""}`;
      const found = await get<Opening>(`/knlite/manifests/${parts.map(encodeURIComponent).join("/")}${query}`);
      setError(null);
      setOutdated("");
      setOpening(found);
      if (anew) keepDraft(path, null);
      setText(whole ? found.yaml : (draft(path) ?? found.yaml));
    } catch (failed) {
      if (failed instanceof ApiError && failed.status === 404 && opening) setOutdated("gone");
      else setError(failed);
    }
  };
  useEffect(() => void load(false), [path, whole, secrets]);

  // What is edited stays; what is only looked at follows.
  const state = useRef({ dirty, load });
  state.current = { dirty, load };
  useEffect(
    () =>
      subscribe("objects", (data) => {
        const { changed } = data as { changed?: readonly { kind: string; namespace: string; name: string; deleted: boolean }[] };
        const mine = changed?.find((each) => each.name === name && each.namespace === namespace && each.kind === kind.current);
        if (!mine) return;
        setVersion((before) => before + 1);
        if (mine.deleted) setOutdated("gone");
        else if (state.current.dirty) void checkMeanwhile();
        else void state.current.load(false);
      }),
    [path],
  );
  const kind = useRef("");
  kind.current = opening?.kind ?? "";
  const opened = useRef("");
  opened.current = opening?.state ?? "";
  const checkMeanwhile = async (): Promise<void> => {
    const found = await get<Opening>(`/knlite/manifests/${parts.map(encodeURIComponent).join("/")}`).catch(() => null);
    if (found && found.state !== opened.current) setOutdated("changed");
  };

  const change = (next: string): void => {
    setText(next);
    if (opening && !locked) keepDraft(path, next === opening.yaml ? null : next);
  };
  const apply = async (): Promise<void> => {
    if (!dirty || busy) return;
    setBusy(true);
    try {
      const result = await send(text, edited, false);
      if (result.applied) {
        toast(result.documents.every((document) => document.action === "unchanged") ? t("unchanged") : t("applied", { n: result.documents.length }), "good");
        await load(true);
        void loadObjects();
      } else toast(result.problems.map((problem) => problem.message).join("\n"), "warning");
    } catch (failed) {
      toast(failed instanceof Error ? failed.message : String(failed), "warning");
    } finally {
      setBusy(false);
    }
  };
  const remove = async (): Promise<void> => {
    setBusy(true);
    try {
      await del(apiPath(parts));
      keepDraft(path, null);
      toast(t("deleted", { kind: opening?.kind ?? "", name }), "good");
      void loadObjects();
      go("manifests");
    } catch (failed) {
      toast(failed instanceof Error ? failed.message : String(failed), "warning");
      setAsking(false);
    } finally {
      setBusy(false);
    }
  };

  useEscape(() => go("manifests", [], filters()));
  const errors = trial.problems.some((problem) => problem.level === "error");
  const tabs = [
    { id: "yaml", label: t("yaml") },
    { id: "conditions", label: t("conditions"), ...(opening?.conditions.length ? { count: opening.conditions.length } : {}) },
    { id: "events", label: t("events") },
    { id: "file", label: t("file"), ...(opening?.declared?.differences?.length ? { count: opening.declared.differences.length } : {}) },
  ];
  return (
    <section class="manifest-view panel" aria-label={`${opening?.kind ?? ""} ${name}`}>
      <header class="manifest-head">
        <a class="icon-button" href={href("manifests", [], filters())} aria-label={t("back")} title={t("back")}><Icon name="left" /></a>
        <h2 class="cut"><span class="quiet">{opening?.kind ?? plural}</span> {namespace && namespace !== "default" ? `${namespace}/` : ""}{name}</h2>
        {listed?.ready && <Ready status={listed.ready} reason={listed.reason} message={listed.message} />}
        <span class="spread row">
          {dirty && <Button onClick={() => change(opening?.yaml ?? "")}>{t("discard")}</Button>}
          {!locked && (dirty || tab === "yaml") && <Button kind="primary" disabled={!dirty || errors || outdated === "gone"} busy={busy} onClick={() => void apply()} title={t("submitHint")}>{t("apply")}</Button>}
          {listed && canDelete(listed) && <IconButton icon="trash" label={t("delete")} onClick={() => setAsking(true)} />}
        </span>
      </header>
      {error ? <Trouble error={error} retry={() => void load(false)} /> : null}
      {outdated && (
        <Note tone="warning">
          <p role="alert">{t(outdated === "gone" ? "gone" : "changedMeanwhile")}</p>
          {outdated === "changed" && <Button onClick={() => void load(true)} icon="refresh">{t("reload")}</Button>}
        </Note>
      )}
      {opening && (
        <Tabs label={name} tabs={tabs} current={tab} onChange={(next) => ask({ tab: next === "yaml" ? undefined : next })}>
          {tab === "yaml" && (
            <div class="manifest-text">
              <div class="row manifest-options">
                <Switch label={t("whole")} on={whole} onChange={setWhole} disabled={dirty} />
                {opening.kind === "Secret" && <Switch label={t("secret")} on={secrets} onChange={setSecrets} disabled={dirty} />}
              </div>
              {opening.fixed ? <Note>{opening.fixed}</Note> : opening.hidden ? <Note>{t("hidden")}</Note> : whole ? <Note>{t("wholeWhy")}</Note> : dirty && opening.declared ? <Note tone="warning">{t("declaredAt", { file: opening.declared.file, line: opening.declared.line })} {t("fileWins")}</Note> : null}
              <Editor text={text} as="yaml" label={`${opening.kind} ${name}`} onChange={change} onSubmit={() => void apply()} readOnly={locked} problems={trial.problems} reveal={reveal} />
              <Outcome trial={trial} onLine={(line) => setReveal({ line })} />
            </div>
          )}
          {tab === "conditions" && <Conditions opening={opening} />}
          {tab === "events" && <Happenings kind={opening.kind} namespace={namespace} name={name} version={version} />}
          {tab === "file" && <FromFile opening={opening} />}
        </Tabs>
      )}
      {asking && opening && (
        <Confirm title={t("deleteTitle", { kind: opening.kind, name })} yes={t("delete")} no={t("keep")} danger busy={busy} onYes={() => void remove()} onNo={() => setAsking(false)}>
          <p>{t("deleteText")}</p>
          {opening.declared && <Note tone="warning">{t("deleteDeclared", { file: opening.declared.file })}</Note>}
        </Confirm>
      )}
    </section>
  );
}

/** Where the Kubernetes API has the object. */
function apiPath([group = "", version = "", plural = "", namespace = "", name = ""]: readonly string[]): string {
  const root = group === "core" ? `/api/${version}` : `/apis/${group}/${version}`;
  const within = namespace === "-" ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${within}/${plural}/${encodeURIComponent(name)}`;
}

/** What other objects follow from cannot be taken away by itself. */
const canDelete = (object: Listed): boolean => object.own !== "platform";

function filters(): Record<string, string | undefined> {
  const { query } = route.peek();
  return { text: query["text"], kind: query["kind"], ns: query["ns"], state: query["state"], all: query["all"] };
}
