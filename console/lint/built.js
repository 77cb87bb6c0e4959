/** Builds the page anew and compares it with what is shipped: whoever changes the sources builds it
 * too, and nothing is shipped that the sources do not say. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const shipped = join(root, "../knlite/console/static");

/** @param {string} folder @returns {Map<string, string>} */
function contents(folder) {
  /** @type {Map<string, string>} */
  const found = new Map();
  /** @param {string} inside */
  const walk = (inside) => {
    for (const name of readdirSync(inside)) {
      const path = join(inside, name);
      if (statSync(path).isDirectory()) walk(path);
      else found.set(relative(folder, path), readFileSync(path, "utf8"));
    }
  };
  walk(folder);
  return found;
}

const anew = mkdtempSync(join(tmpdir(), "knlite-console-"));
try {
  await build({ root, logLevel: "warn", build: { outDir: anew, emptyOutDir: true } });
  const wanted = contents(anew);
  const there = contents(shipped);
  const names = [...new Set([...wanted.keys(), ...there.keys()])].sort();
  const wrong = names.filter((name) => wanted.get(name) !== there.get(name));
  for (const name of wrong) console.error(`${name}: ${!there.has(name) ? "is missing" : !wanted.has(name) ? "is of an earlier build" : "differs"}`);
  if (wrong.length > 0) console.error("knlite/console/static is not what console/ builds: run `make console` and commit both");
  else console.log(`${names.length} files are as their sources say`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
} finally {
  rmSync(anew, { recursive: true });
}
