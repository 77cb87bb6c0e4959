/** What the page remembers of a person's choices. Storage can be forbidden or full; then a choice
 * lasts as long as the page. */

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`knlite.${name}`);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`knlite.${name}`, value);
  } catch {
    // See above.
  }
}
