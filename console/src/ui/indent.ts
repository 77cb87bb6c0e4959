/** Where the next line of YAML begins. Pure. */

const STEP = 2;

/** Spaces before a line that is begun behind `before`, the part of a line that stands before the
 * cursor; `next` is the line below it. */
export function indentAfter(before: string, next: string): number {
  const [, spaces = "", dashes = "", rest = ""] = /^( *)((?:- +)*)(.*)$/.exec(before) ?? [];
  const inside = spaces.length + dashes.length;
  if (rest.trim() === "" && dashes === "") return spaces.length;
  if (!/(:|[|>][+-]?)\s*$/.test(rest)) return inside;
  // What stands there already says how deep its children are.
  const below = /^ */.exec(next)?.[0].length ?? 0;
  return next.trim() !== "" && below > inside ? below : inside + STEP;
}
