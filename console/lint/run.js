/** What the compiler does not know of this house: no text becomes code, no style is a string, no
 * type is given up, a page's styles stay with it, and no text is never shown. Says what breaks a rule. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { RULES, breaches, unsaid } from "./rules.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} folder @returns {string[]} */
function files(folder) {
  return readdirSync(folder).sort().flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

const texts = new Map(
  files(join(root, "src"))
    .filter((path) => /\.(ts|tsx|css)$/.test(path))
    .map((path) => [relative(root, path), readFileSync(path, "utf8")]),
);

/** What uses the texts of a messages.ts: its folder; those of the frame also name the pages.
 * @param {string} path @returns {string} */
const around = (path) =>
  [...texts].filter(([other]) => other !== path && (other.startsWith(`${dirname(path)}/`) || (path.includes("frame/") && /src\/(app\.tsx|router\.ts)$/.test(other)))).map(([, text]) => text).join("\n");

const found = [
  ...[...texts].flatMap(([path, text]) => breaches(path, text)),
  ...[...texts].filter(([path]) => path.endsWith("messages.ts")).flatMap(([path, text]) => unsaid(text, around(path)).map((key) => `${path}: unsaid: nothing says "${key}"`)),
];

for (const line of found) console.error(line);
console.log(`lint: ${RULES.length + 1} rules, ${found.length} breaches`);
process.exit(found.length ? 1 : 0);
