/** What the compiler does not know of this house: no text becomes code, no style is a string, no
 * type is given up, and both languages say everything. Says each line that breaks a rule. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { RULES, breaches } from "./rules.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} folder @returns {string[]} */
function files(folder) {
  return readdirSync(folder).sort().flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

const found = files(join(root, "src"))
  .filter((path) => /\.(ts|tsx|css)$/.test(path))
  .flatMap((path) => breaches(relative(root, path), readFileSync(path, "utf8")));

for (const line of found) console.error(line);
console.log(`lint: ${RULES.length} rules, ${found.length} breaches`);
process.exit(found.length ? 1 : 0);
