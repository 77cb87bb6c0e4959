/** Everything goes by keyboard: keys of the whole page, and those of what is shown just now. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export interface Key {
  /** As `event.key` has it; two with a space between are pressed one after the other. */
  readonly keys: string;
  /** What it does, in words, for the page of help. */
  readonly label: () => string;
  readonly run: () => void;
}

/** How long the second key of two may take, in milliseconds. */
const TOGETHER = 1200;

export const shown = signal<readonly Key[]>([]);
const escapes: (() => void)[] = [];
let first = "";
let forget = 0;

/** Give the page these keys while the component is there. */
export function useKeys(keys: readonly Key[]): void {
  const now = useRef(keys);
  now.current = keys;
  useEffect(() => {
    const mine = keys.map((key, index) => ({ ...key, run: () => now.current[index]?.run() }));
    shown.value = [...shown.value, ...mine];
    return () => {
      shown.value = shown.value.filter((key) => !mine.includes(key));
    };
  }, []);
}

/** What Esc closes: the newest of those that are open. */
export function useEscape(close: () => void): void {
  const now = useRef(close);
  now.current = close;
  useEffect(() => {
    const run = (): void => now.current();
    escapes.push(run);
    return () => {
      escapes.splice(escapes.indexOf(run), 1);
    };
  }, []);
}

export function listen(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    const pressed = named(event);
    // A dialog that everything waits for closes itself.
    const modal = document.querySelector("dialog[open]") !== null;
    if (pressed === "Escape" && !modal) {
      const close = escapes.at(-1);
      if (close) {
        event.preventDefault();
        close();
      }
      return;
    }
    const found = matched(shown.value, first, pressed, writes(event.target), modal);
    clearTimeout(forget);
    first = found ? "" : pressed;
    forget = window.setTimeout(() => (first = ""), TOGETHER);
    if (found) {
      event.preventDefault();
      found.run();
    }
  });
}

/** What is pressed, one after the other, as it stands on the keyboard: `Ctrl K`, `g` then `m`, `+`. Pure. */
export function pressed(keys: string): string[] {
  return keys.split(" ").map((key) => {
    const [held, letter] = key.split("+");
    return held && letter ? `${held} ${letter.toUpperCase()}` : key;
  });
}

/** The key that is meant by this one, with the one before it. Where somebody writes only those
 * with Ctrl are; above a dialog none but those. */
export function matched(keys: readonly Key[], before: string, pressed: string, writing: boolean, modal: boolean): Key | undefined {
  const reachable = keys.filter((key) => key.keys.startsWith("Ctrl+") || !(writing || modal));
  const of = (wanted: string): Key | undefined => reachable.findLast((key) => key.keys === wanted);
  return of(`${before} ${pressed}`) ?? of(pressed);
}

function named(event: KeyboardEvent): string {
  if (event.altKey) return "";
  return event.ctrlKey || event.metaKey ? `Ctrl+${event.key.toLowerCase()}` : event.key;
}

function writes(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const button = target instanceof HTMLInputElement && ["checkbox", "radio", "button"].includes(target.type);
  return !button && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}
