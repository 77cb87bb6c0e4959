/** What a few letters mean. Pure. */

/** Those that have every word of `text`, the best first: where a name begins with it, then where a
 * part of a name does, then the others; else in the order given. */
export function ranked<T>(all: readonly T[], text: string, named: (each: T) => string): T[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...all];
  return all
    .map((each, place) => ({ each, place, score: score(named(each).toLowerCase(), words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .map(({ each }) => each);
}

function score(name: string, words: readonly string[]): number {
  let sum = 0;
  for (const word of words) {
    const at = name.indexOf(word);
    if (at < 0) return 0;
    sum += at === 0 ? 4 : /[^a-z0-9]/.test(name[at - 1] ?? "") ? 2 : 1;
  }
  return sum;
}
