/** Texts that were begun and not applied yet: who looks at something else meanwhile finds them again. */

const MOST = 20;
const kept = new Map<string, string>();

export const draft = (path: string): string | undefined => kept.get(path);

/** Keep the text, or none. */
export function keepDraft(path: string, text: string | null): void {
  kept.delete(path);
  if (text === null) return;
  kept.set(path, text);
  const oldest = kept.keys().next().value;
  if (kept.size > MOST && oldest !== undefined) kept.delete(oldest);
}

// Leaving the page itself would lose them: the browser asks.
addEventListener("beforeunload", (event) => {
  if (kept.size > 0) event.preventDefault();
});
