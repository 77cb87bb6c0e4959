import { useState } from "preact/hooks";

import { size } from "../format";
import { messages } from "../i18n";
import { Button } from "./button";
import { Copy } from "./copy";
import { texts } from "./messages";
import { jsonTokens, yamlTokens, type Token } from "./tokens";
import "./code.css";

const t = messages(texts);
/** Longer texts are shown in part until they are asked for. */
const SHOWN = 20_000;
/** Longer ones are not colored: each piece is an element of its own. */
const COLORED = 60_000;

/** Text as it is, JSON and YAML with colors. */
export function Code({ text, as = "text", label, copy = true }: { text: string; as?: "json" | "yaml" | "text"; label?: string; copy?: boolean }) {
  const [whole, set] = useState(false);
  const part = whole || text.length <= SHOWN ? text : text.slice(0, SHOWN);
  return (
    <div class="code">
      <pre tabIndex={0} role="region" aria-label={label ?? as}>{as === "text" || part.length > COLORED ? part : (as === "json" ? jsonTokens(part) : yamlTokens(part)).map(piece)}</pre>
      {copy && <div class="code-copy"><Copy text={text} /></div>}
      {part.length < text.length && <Button kind="quiet" onClick={() => set(true)}>{t("whole", { size: size(text.length) })}</Button>}
    </div>
  );
}

/** What is JSON laid out; other text as it is. */
export function pretty(text: string): { text: string; as: "json" | "text" } {
  try {
    return { text: JSON.stringify(JSON.parse(text), null, 2), as: "json" };
  } catch {
    return { text, as: "text" };
  }
}

function piece(token: Token, index: number) {
  return token.kind === "text" ? token.text : <span key={index} class={`t-${token.kind}`}>{token.text}</span>;
}
