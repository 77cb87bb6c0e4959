/** @typedef {{ name: string, pattern: RegExp, why: string, only?: RegExp }} Rule */

const CODE = /\.tsx?$/;

/** @type {Rule[]} */
export const RULES = [
  { name: "markup", pattern: /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write/, why: "text from elsewhere is a text node, never markup", only: CODE },
  { name: "eval", pattern: /\beval\(|new Function\(|set(?:Timeout|Interval)\(\s*["'`]/, why: "text is never run", only: CODE },
  { name: "any", pattern: /(?::|\bas|<|\|)\s*any\b|@ts-ignore|@ts-nocheck/, why: "use unknown and look", only: CODE },
  { name: "style", pattern: /\bstyle=["'`]|\.cssText\b|setAttribute\(\s*["']style/, why: "a class, or an object of properties", only: CODE },
  { name: "elsewhere", pattern: /(?:src|href)=["']https?:|@import\s+(?:url\()?["']?https?:|url\(["']?https?:/, why: "nothing is fetched from another server" },
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

/** Classes that two pages style, each for itself: stylesheets of pages stay when another page is shown,
 * and the one that came last would win. What pages share belongs to `src/ui` or `src/styles`.
 * @param {ReadonlyMap<string, string>} sheets path → text @returns {string[]} */
export function clashes(sheets) {
  /** @type {Map<string, string>} */
  const owners = new Map();
  const found = [];
  for (const [path, text] of sheets) {
    const page = /(?:^|\/)pages\/([^/]+)\//.exec(path)?.[1];
    if (page === undefined) continue;
    for (const name of styledFirst(text)) {
      /** @type {string} */
      const owner = owners.get(name) ?? page;
      owners.set(name, owner);
      if (owner !== page) found.push(`${path}: clash: .${name} is styled by the page ${owner} as well`);
    }
  }
  return found;
}

/** The classes that selectors of a stylesheet begin with.
 * @param {string} text @returns {Set<string>} */
function styledFirst(text) {
  const bare = text.replace(/\/\*[^]*?\*\//g, "").replace(/@media[^{]*\{/g, "");
  const selectors = [...bare.matchAll(/([^{}]+)\{/g)].flatMap(([, list = ""]) => list.split(","));
  return new Set(selectors.flatMap((selector) => /^\s*\.([\w-]+)/.exec(selector)?.[1] ?? []).filter((name) => !SHARED.has(name)));
}

/** Begun with by a page's own rules for what is of `src/ui`. */
const SHARED = new Set(["drawer-content"]);

/** Texts of a page that nothing in it asks for: `t("key")`, or a template that the key begins like.
 * @param {string} texts of its messages.ts @param {string} code all else of it @returns {string[]} */
export function unsaid(texts, code) {
  const english = texts.slice(0, texts.indexOf("  es: {"));
  const keys = [...english.matchAll(/^ {4}"?([\w. -]+?)"?: /gm)].map(([, key = ""]) => key);
  const quoted = new Set([...code.matchAll(/["'`]([\w. -]+)["'`]/g)].map(([, text]) => text));
  const begun = [...code.matchAll(/`([\w. -]+)\$\{/g)].map(([, text = ""]) => text);
  return keys.filter((key) => !quoted.has(key) && !begun.some((text) => key.startsWith(text)));
}
