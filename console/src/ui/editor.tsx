/** An editor for YAML and JSON. It is large: import it where it is shown for certain, else `EditorLater`. */
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { meta } from "../api";
import { language as tongue } from "../i18n";
import { indentAfter } from "./indent";
import "./code.css";
import "./editor.css";

export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
  readonly level: "error" | "warning";
}

export interface EditorProps {
  /** Replaces what is written when it becomes another text than the one that was typed. */
  text: string;
  as: "yaml" | "json" | "text";
  label: string;
  onChange?: (text: string) => void;
  /** Ctrl-Enter. */
  onSubmit?: () => void;
  readOnly?: boolean;
  problems?: readonly Problem[];
  /** A line to go to; another object goes there again. */
  reveal?: { readonly line: number } | undefined;
}

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], class: "t-key" },
  { tag: [tags.string, tags.content], class: "t-string" },
  { tag: tags.number, class: "t-number" },
  { tag: [tags.bool, tags.null, tags.keyword], class: "t-word" },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace, tags.meta], class: "t-mark" },
  { tag: [tags.comment, tags.lineComment], class: "t-comment" },
]);

const ES: Record<string, string> = {
  "Find": "Buscar",
  "Replace": "Reemplazar",
  "next": "siguiente",
  "previous": "anterior",
  "all": "todos",
  "match case": "mayúsculas",
  "by word": "palabra",
  "regexp": "expresión",
  "replace": "reemplazar",
  "replace all": "reemplazar todo",
  "close": "cerrar",
  "Fold line": "Plegar línea",
  "Unfold line": "Desplegar línea",
  "Diagnostics": "Problemas",
  "No diagnostics": "Sin problemas",
};

export default function Editor({ text, as, label, onChange, onSubmit, readOnly = false, problems = [], reveal }: EditorProps) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const fixed = useRef(new Compartment());
  const told = useRef({ onChange, onSubmit });
  told.current = { onChange, onSubmit };
  const typed = useRef(text);
  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const made = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          basics(as, label),
          keymap.of([{ key: "Mod-Enter", run: () => (told.current.onSubmit?.(), told.current.onSubmit !== undefined) }]),
          keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap, ...searchKeymap, ...lintKeymap, { key: "Mod-]", run: indentMore }, { key: "Mod-[", run: indentLess }]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            typed.current = update.state.doc.toString();
            told.current.onChange?.(typed.current);
          }),
          fixed.current.of(locked(readOnly)),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [as, label, tongue.value]);
  // At once, before the next key: a text that comes back later than the one that was typed after it
  // would replace that, and be answered by it, for ever.
  useLayoutEffect(() => {
    const made = view.current;
    if (!made || text === typed.current || made.state.doc.toString() === text) return;
    made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => view.current?.dispatch({ effects: fixed.current.reconfigure(locked(readOnly)) }), [readOnly]);
  useEffect(() => {
    const made = view.current;
    if (made) made.dispatch(setDiagnostics(made.state, problems.map((problem) => placed(made.state, problem))));
  }, [problems, text]);
  useEffect(() => {
    const made = view.current;
    if (!made || !reveal) return;
    const line = made.state.doc.line(Math.min(Math.max(1, reveal.line), made.state.doc.lines));
    made.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
    made.focus();
  }, [reveal]);
  return <div class="editor" ref={box} />;
}

function basics(as: EditorProps["as"], label: string): Extension {
  return [
    // The server's policy allows no styles but those with the nonce of this page.
    EditorView.cspNonce.of(meta("nonce")),
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
    tongue.peek() === "es" ? EditorState.phrases.of(ES) : [],
    as === "yaml" ? [yaml(), Prec.high(keymap.of([{ key: "Enter", run: nextLine }]))] : as === "json" ? json() : [],
    indentUnit.of("  "),
    lineNumbers(),
    foldGutter(),
    lintGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    search({ top: true }),
    syntaxHighlighting(colors),
    EditorView.lineWrapping,
    EditorView.domEventHandlers({ beforeinput: replaced }),
  ];
}

/** The mode for YAML would put the first child of a key beside it. */
function nextLine(view: EditorView): boolean {
  const { state } = view;
  if (state.readOnly || !state.selection.main.empty) return false;
  const at = state.selection.main.head;
  const line = state.doc.lineAt(at);
  const next = line.number < state.doc.lines ? state.doc.line(line.number + 1).text : "";
  const inserted = `\n${" ".repeat(indentAfter(line.text.slice(0, at - line.from), next))}`;
  view.dispatch({ changes: { from: at, insert: inserted }, selection: { anchor: at + inserted.length }, scrollIntoView: true, userEvent: "input" });
  return true;
}

/** Where several lines are typed over, browsers give what is typed the look of what was there, by
 * styles that the policy of this page forbids: they would be reported. So it is done here. */
function replaced(event: InputEvent, view: EditorView): boolean {
  const { state } = view;
  if (event.inputType !== "insertText" || event.isComposing || event.data === null || state.readOnly || state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch(state.update(state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true }));
  return true;
}

const locked = (readOnly: boolean): Extension => [EditorState.readOnly.of(readOnly), EditorView.editorAttributes.of({ class: readOnly ? "fixed" : "" })];

function placed(state: EditorState, problem: Problem): Diagnostic {
  const line = state.doc.line(Math.min(Math.max(1, problem.line), state.doc.lines));
  const indent = /^\s*/.exec(line.text)?.[0].length ?? 0;
  return { from: Math.min(line.from + indent, line.to), to: line.to, severity: problem.level, message: problem.message };
}
