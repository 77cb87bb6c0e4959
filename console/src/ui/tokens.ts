/** Pieces of JSON and YAML, to color them as text nodes. Pure; hostile text is only text. */

export type Kind = "key" | "string" | "number" | "word" | "mark" | "comment" | "text";

export interface Token {
  readonly kind: Kind;
  readonly text: string;
}

const JSON_PIECES = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b|([{}[\],])/g;
const YAML_LINE = /^(\s*(?:- )*)([^\s#"'][^:#]*|"[^"]*"|'[^']*')(:)(?=\s|$)(.*)$/;
const YAML_VALUE = /^(\s*)(-?\d+(?:\.\d+)?|true|false|null|~|"(?:[^"\\]|\\.)*"|'[^']*')(\s*)$/;

export function jsonTokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (const match of text.matchAll(JSON_PIECES)) {
    if (match.index > at) found.push({ kind: "text", text: text.slice(at, match.index) });
    const [whole, string, colon, number, word] = match;
    if (string !== undefined) {
      found.push({ kind: colon === undefined ? "string" : "key", text: string });
      if (colon !== undefined) found.push({ kind: "mark", text: colon });
    } else found.push({ kind: number !== undefined ? "number" : word !== undefined ? "word" : "mark", text: whole });
    at = match.index + whole.length;
  }
  if (at < text.length) found.push({ kind: "text", text: text.slice(at) });
  return found;
}

export function yamlTokens(text: string): Token[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => [...yamlLine(line), ...(index < lines.length - 1 ? [{ kind: "text" as const, text: "\n" }] : [])]);
}

function yamlLine(line: string): Token[] {
  if (/^\s*#/.test(line)) return [{ kind: "comment", text: line }];
  if (/^(---|\.\.\.)/.test(line)) return [{ kind: "mark", text: line }];
  const match = YAML_LINE.exec(line);
  if (match) {
    const [, before = "", key = "", colon = "", value = ""] = match;
    return [{ kind: "mark", text: before }, { kind: "key", text: key }, { kind: "mark", text: colon }, ...yamlValue(value)].filter((token) => token.text !== "") as Token[];
  }
  const item = /^(\s*(?:- )+)(.*)$/.exec(line);
  if (item) return [{ kind: "mark", text: item[1] ?? "" }, ...yamlValue(item[2] ?? "")];
  return line === "" ? [] : [{ kind: "string", text: line }];
}

function yamlValue(text: string): Token[] {
  if (text === "") return [];
  const match = YAML_VALUE.exec(text);
  if (!match) return [{ kind: "string", text }];
  const value = match[2] ?? "";
  const kind: Kind = /^-?\d/.test(value) ? "number" : /^["']/.test(value) ? "string" : "word";
  return [{ kind, text }];
}
