import { messages } from "../../../i18n";
import { Button, IconButton } from "../../../ui/button";
import { Field } from "../../../ui/field";
import type { Draft, Fault, Faults } from "../draft";
import { texts } from "../messages";

const t = messages(texts);

interface AttributesProps {
  draft: Draft;
  faults: Faults;
  /** Faults of what nobody has written yet are not told. */
  touched: boolean;
  onChange: (change: Partial<Draft>) => void;
}

/** The attributes of an event, each checked while it is written. */
export function Attributes({ draft, faults, touched, onChange }: AttributesProps) {
  const said = (fault: Fault | undefined): string | undefined => (fault && (touched || fault !== "required") ? t(`fault.${fault}`) : undefined);
  return (
    <fieldset class="send-attributes">
      <legend class="unseen">{t("attributes")}</legend>
      <Field label="type" required mono value={draft.type} placeholder="order.paid" error={said(faults.type)} onInput={(type) => onChange({ type })} />
      <Field label="source" required mono value={draft.source} error={said(faults.source)} onInput={(source) => onChange({ source })} />
      <Field label="subject" mono value={draft.subject} onInput={(subject) => onChange({ subject })} />
      <details class="send-more" open={draft.id !== "" || draft.time !== "" || draft.dataschema !== "" || draft.extensions.length > 0}>
        <summary>{t("moreAttributes")}</summary>
        <div class="send-attributes">
          <Field label="id" mono value={draft.id} hint={t("idHint")} onInput={(id) => onChange({ id })} />
          <Field label="time" mono value={draft.time} placeholder="2026-11-26T12:00:00Z" hint={t("timeHint")} error={said(faults.time)} onInput={(time) => onChange({ time })} />
          <Field label="dataschema" mono value={draft.dataschema} error={said(faults.dataschema)} onInput={(dataschema) => onChange({ dataschema })} />
          <div class="send-extensions">
            <span class="send-label">{t("extensions")}</span>
            {draft.extensions.map(([name, value], index) => {
              const put = (next: readonly [string, string] | null): void => onChange({ extensions: draft.extensions.flatMap((each, at) => (at === index ? (next ? [next] : []) : [each])) });
              return (
                <div key={index} class="send-extension">
                  <input class="input mono" aria-label={t("extensionName")} placeholder="tenant" value={name} spellcheck={false} onInput={(event) => put([event.currentTarget.value, value])} />
                  <input class="input mono" aria-label={t("extensionValue", { name })} value={value} spellcheck={false} onInput={(event) => put([name, event.currentTarget.value])} />
                  <IconButton icon="close" label={t("remove", { name })} onClick={() => put(null)} />
                </div>
              );
            })}
            {faults.extensions && <p class="error" role="alert">{t(`fault.${faults.extensions}`)}</p>}
            <div><Button kind="quiet" icon="plus" onClick={() => onChange({ extensions: [...draft.extensions, ["", ""]] })}>{t("add")}</Button></div>
          </div>
        </div>
      </details>
    </fieldset>
  );
}
