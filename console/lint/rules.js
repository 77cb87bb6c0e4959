/** @typedef {{ name: string, pattern: RegExp, why: string, only?: RegExp }} Rule */

const CODE = /\.tsx?$/;

/** @type {Rule[]} */
export const RULES = [
  { name: "markup", pattern: /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write/, why: "text from elsewhere is a text node, never markup", only: CODE },
  { name: "eval", pattern: /\beval\(|new Function\(|set(?:Timeout|Interval)\(\s*["'`]/, why: "text is never run", only: CODE },
  { name: "any", pattern: /(?::|\bas|<|\|)\s*any\b|@ts-ignore|@ts-nocheck/, why: "use unknown and look", only: CODE },
  { name: "style", pattern: /\bstyle=["'`]|\.cssText\b|setAttribute\(\s*["']style/, why: "a class, or an object of properties", only: CODE },
  { name: "elsewhere", pattern: /(?:src|href)=["']https?:|@import\s+(?:url\()?["']?https?:|url\(["']?https?:/, why: "nothing is fetched from another server" },
  { name: "nested", pattern: /^(?:[.#a-z]|@media|@container)(?!ain\.(?:map|services|requests|events|logs|manifests) \{)/, why: "a page's styles stand inside main.PAGE { … }: they stay when another page is shown", only: /pages\/[a-z]+\/[a-z]+\.css$/ },
  { name: "console", pattern: /\bconsole\.(?:log|debug)\(/, why: "say it on the page", only: CODE },
];

/** The lines of a file that break a rule, as `path:line: rule: why`.
 * @param {string} path @param {string} text @returns {string[]} */
export function breaches(path, text) {
  const found = text.split("\n").flatMap((line, index) =>
    RULES.filter((rule) => (rule.only ?? /./).test(path) && rule.pattern.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line)).map(
      (rule) => `${path}:${index + 1}: ${rule.name}: ${rule.why}`,
    ),
  );
  return found;
}

/** Texts of a page that nothing in it asks for: `t("key")`, or a template that the key begins like.
 * @param {string} texts of its messages.ts @param {string} code all else of it @returns {string[]} */
export function unsaid(texts, code) {
  const english = texts.slice(0, texts.indexOf("  es: {"));
  const keys = [...english.matchAll(/^ {4}"?([\w. -]+?)"?: /gm)].map(([, key = ""]) => key);
  const quoted = new Set([...code.matchAll(/["'`]([\w. -]+)["'`]/g)].map(([, text]) => text));
  const begun = [...code.matchAll(/`([\w. -]+)\$\{/g)].map(([, text = ""]) => text);
  return keys.filter((key) => !quoted.has(key) && !begun.some((text) => key.startsWith(text)));
}
