import { useEffect, useRef, useState } from "preact/hooks";

import { post } from "../../api";
import { curl, headersOf, joined } from "../../curl";
import { duration, size } from "../../format";
import { messages } from "../../i18n";
import { href } from "../../router";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { copyText } from "../../ui/clipboard";
import { Code, pretty } from "../../ui/code";
import { Drawer } from "../../ui/dialog";
import { Note, Trouble } from "../../ui/empty";
import { Field, Select } from "../../ui/field";
import { texts } from "./messages";
import { pathOf, type Detail } from "./model";

const t = messages(texts);
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly cut: string;
  readonly firstByte: number;
  readonly seconds: number;
  readonly instance: string;
  readonly request: string;
}

interface Written {
  readonly method: string;
  readonly path: string;
  readonly whom: string;
  readonly headers: string;
  readonly body: string;
}

const EMPTY: Written = { method: "GET", path: "/", whom: "", headers: "", body: "" };
/** What was written last stands there again when the form is opened again. */
const kept = new Map<string, Written>();

/** A request to a service, and its answer. */
export function Invoke({ detail, onClose }: { detail: Detail; onClose: () => void }) {
  const { namespace, name, url } = detail.service;
  const key = `${namespace}/${name}`;
  const [written, set] = useState<Written>(kept.get(key) ?? EMPTY);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const asking = useRef<AbortController | null>(null);
  // Who closes the form waits for no answer: the request ends.
  useEffect(() => () => asking.current?.abort(), []);
  const { headers, wrong } = headersOf(written.headers);
  const tag = written.whom.startsWith("tag/") ? written.whom.slice(4) : "";
  const revision = written.whom.startsWith("revision/") ? written.whom.slice(9) : "";
  const told = written.body !== "" && !headers.some(([each]) => each.toLowerCase() === "content-type") ? [...headers, ["Content-Type", kindOf(written.body)] as [string, string]] : headers;
  const address = tag ? (detail.service.traffic.find((each) => each.tag === tag)?.url ?? "") : url;

  const change = (some: Partial<Written>): void => {
    const next = { ...written, ...some };
    kept.set(key, next);
    set(next);
  };
  const send = async (): Promise<void> => {
    if (busy || wrong) return;
    setBusy(true);
    setError(null);
    asking.current = new AbortController();
    try {
      const request = { method: written.method, path: written.path, headers: told, body: written.body, tag, revision };
      setAnswer(await post<Answer>(`${pathOf(namespace, name)}/invoke`, request, undefined, asking.current.signal));
    } catch (failed) {
      setAnswer(null);
      setError(failed);
    }
    setBusy(false);
  };
  const copy = (): Promise<void> => copyText(curl({ method: written.method, url: joined(address, written.path), headers: told, body: written.body }), t("curlCopied"));
  const whom = [
    { value: "", label: t("mainAddress") },
    ...detail.service.traffic.filter((each) => each.tag !== "").map((each) => ({ value: `tag/${each.tag}`, label: t("byTag", { tag: each.tag }) })),
    ...detail.revisions.map((each) => ({ value: `revision/${each.name}`, label: each.name })),
  ];

  return (
    <Drawer title={t("invokeTitle", { name })} onClose={onClose} wide>
      <form
        class="stack invoke"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            void send();
          }
        }}
      >
        <div class="invoke-line">
          <Select label={t("method")} value={written.method} options={METHODS.map((each) => ({ value: each, label: each }))} onChange={(method) => change({ method })} />
          <Field label={t("path")} value={written.path} onInput={(path) => change({ path })} mono placeholder="/" />
        </div>
        {whom.length > 2 && <Select label={t("whom")} value={written.whom} options={whom} onChange={(next) => change({ whom: next })} />}
        <Field label={t("headers")} value={written.headers} onInput={(next) => change({ headers: next })} lines={2} mono placeholder="Name: value" {...(wrong ? { error: t("noHeader", { line: wrong }) } : {})} />
        <Field label={t("body")} value={written.body} onInput={(body) => change({ body, ...(written.method === "GET" && body !== "" && written.body === "" ? { method: "POST" } : {}) })} lines={5} mono hint={written.body !== "" ? t("bodyKind", { kind: kindOf(written.body) }) : undefined} />
        <div class="row">
          <Button kind="primary" icon="send" submit busy={busy} disabled={wrong !== ""}>{t("send")}</Button>
          <kbd>Ctrl ⏎</kbd>
          <div class="spread"><Button kind="quiet" icon="copy" disabled={revision !== "" || !address || wrong !== ""} title={revision ? t("noCurl") : ""} onClick={() => void copy()}>{t("copyCurl")}</Button></div>
        </div>
      </form>
      <div class="answer" aria-live="polite">
        {busy && <p class="quiet">{t("sending")}</p>}
        {error !== null && <Trouble error={error} />}
        {answer && !busy && <Shown answer={answer} />}
      </div>
    </Drawer>
  );
}

function Shown({ answer }: { answer: Answer }) {
  const timing = answer.headers.find(([name]) => name.toLowerCase() === "server-timing")?.[1] ?? "";
  const shown = answer.body === undefined ? null : pretty(answer.body);
  return (
    <div class="stack">
      <div class="row">
        <Badge tone={answer.status < 400 ? "ready" : "failed"}>{answer.status}</Badge>
        <b>{duration(answer.seconds)}</b>
        <span class="quiet">{t("firstByte", { time: duration(answer.firstByte) })}</span>
        {timing && <Badge tone="frozen" title={timing}>{t("wasCold")}</Badge>}
        <a class="spread" href={href("requests", [answer.request])}>{t("waterfall")}</a>
      </div>
      {answer.instance && <p class="quiet mono cut" title={answer.instance}>{answer.instance}</p>}
      {answer.cut && <Note tone="warning">{t("cut", { why: answer.cut })}</Note>}
      {shown && shown.text !== "" && <Code text={shown.text} as={shown.as} label={t("answerBody")} />}
      {shown?.text === "" && <p class="quiet">{t("noBody")}</p>}
      {answer.bodyBase64 !== undefined && <Note>{t("binary", { size: size(Math.floor((answer.bodyBase64.length * 3) / 4)) })}</Note>}
      <details>
        <summary>{t("answerHeaders", { n: answer.headers.length })}</summary>
        <dl class="headers">{answer.headers.map(([name, value], index) => <div key={`${index}`}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      </details>
    </div>
  );
}

function kindOf(body: string): string {
  try {
    JSON.parse(body);
    return "application/json";
  } catch {
    return "text/plain; charset=utf-8";
  }
}
