import type { ComponentChildren, Ref, TargetedEvent } from "preact";
import { useId } from "preact/hooks";

import { messages } from "../i18n";
import { Icon } from "./icon";
import { texts } from "./messages";
import "./field.css";

const t = messages(texts);

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  /** What helps to fill it in. */
  hint?: ComponentChildren;
  /** What is wrong with it; read aloud with the field. */
  error?: string | undefined;
  placeholder?: string;
  type?: "text" | "number" | "url" | "datetime-local" | "password";
  required?: boolean;
  disabled?: boolean;
  mono?: boolean;
  /** Values that were used before. */
  options?: readonly string[];
  lines?: number;
}

/** A labelled line of text, or several. */
export function Field({ label, value, onInput, hint, error, placeholder, type = "text", required, disabled, mono, options, lines }: FieldProps) {
  const id = useId();
  const about = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  const shared = {
    id,
    value,
    placeholder,
    required,
    disabled,
    class: `input${mono ? " mono" : ""}`,
    "aria-describedby": about,
    "aria-invalid": error ? true : undefined,
    onInput: (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) => onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}{required && <span aria-hidden="true"> *</span>}</label>
      {lines ? <textarea {...shared} rows={lines} spellcheck={false} /> : <input {...shared} {...{ type: type as "text" }} autocomplete="off" spellcheck={false} {...(options?.length ? { list: `${id}-options` } : {})} />}
      {options?.length ? <datalist id={`${id}-options`}>{options.map((each) => <option key={each} value={each} />)}</datalist> : null}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}

interface Option {
  readonly value: string;
  readonly label: string;
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  /** The label is read aloud only. */
  bare?: boolean;
  disabled?: boolean;
}

export function Select({ label, value, options, onChange, bare, disabled }: SelectProps) {
  const id = useId();
  return (
    <div class={`field${bare ? " bare" : ""}`}>
      <label for={id} class={bare ? "unseen" : undefined}>{label}</label>
      <span class="select">
        <select id={id} class="input" value={value} disabled={disabled} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map((each) => <option key={each.value} value={each.value} selected={each.value === value}>{each.label}</option>)}
        </select>
        <Icon name="down" size={12} />
      </span>
    </div>
  );
}

/** A field to search a list with; `/` goes to the first of a page, Esc empties it. */
export function Search({ label, value, onInput, inputRef }: { label: string; value: string; onInput: (value: string) => void; inputRef?: Ref<HTMLInputElement> }) {
  return (
    <div class="search">
      <Icon name="search" />
      <input
        ref={inputRef}
        class="input"
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        autocomplete="off"
        spellcheck={false}
        data-search
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          if (value === "") event.currentTarget.blur();
          else onInput("");
        }}
      />
      {value === "" ? <kbd aria-hidden="true">/</kbd> : <button type="button" class="clear" aria-label={t("clear")} onClick={() => onInput("")}><Icon name="close" size={12} /></button>}
    </div>
  );
}

/** On or off. */
export function Switch({ label, on, onChange, disabled }: { label: string; on: boolean; onChange: (on: boolean) => void; disabled?: boolean }) {
  return (
    <label class="switch">
      <input type="checkbox" role="switch" checked={on} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span class="track" aria-hidden="true" />
      <span>{label}</span>
    </label>
  );
}
