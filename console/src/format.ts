/** Numbers, times and sizes as people read them, in the language of the page. Whoever calls says what
 * time it is. */
import { language, type Language } from "./i18n";

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** A length of time of some seconds: `0.4 ms`, `12 ms`, `1.25 s`, `3 min 5 s`, `2 h 4 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds === 0) return "0 ms";
  // What is rounded up to a whole unit is told in that unit.
  if (seconds < 0.009995) return `${trimmed(seconds * 1000, 2)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${trimmed(seconds, 2)} s`;
  if (seconds < 59.95) return `${trimmed(seconds, 1)} s`;
  if (seconds < 3599.5) return two(Math.round(seconds), 60, "min", "s");
  if (seconds < 86_370) return two(Math.round(seconds / 60), 60, "h", "min");
  return two(Math.round(seconds / 3600), 24, "d", "h");
}

/** `3 min 5 s`: of a number of small units, of which so many are a large one. */
const two = (small: number, each: number, large: string, rest: string): string => `${Math.floor(small / each)} ${large} ${small % each} ${rest}`;

/** `512 B`, `1.5 KiB`, `20 MiB`. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  let left = bytes;
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? left : trimmed(left, 1)} ${units[unit]}`;
}

/** To make one of these takes longer than to use it a hundred times. */
function once<T>(make: (into: Language) => T): (into: Language) => T {
  const made = new Map<Language, T>();
  return (into) => {
    const found = made.get(into) ?? make(into);
    made.set(into, found);
    return found;
  };
}

const whole = once((into) => new Intl.NumberFormat(into));
const compact = once((into) => new Intl.NumberFormat(into, { notation: "compact", maximumFractionDigits: 1 }));
const relative = once((into) => new Intl.RelativeTimeFormat(into, { style: "narrow", numeric: "auto" }));
const dated = once((into) => new Intl.DateTimeFormat(into, { dateStyle: "medium", timeStyle: "long" }));

export const count = (n: number, into: Language): string => whole(into).format(n);

/** `12,3 k`, for places with little room. */
export const short = (n: number, into: Language): string => compact(into).format(n);

/** How long ago, in the largest unit that fits: `3 s ago`. `at` and `now` in milliseconds. */
export function ago(at: number, now: number, into: Language): string {
  const seconds = Math.round((at - now) / 1000);
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return relative(into).format(Math.trunc(seconds / length), unit);
}

/** The time of day to the millisecond: what lists of requests and log lines show. */
export function clock(at: number): string {
  const when = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${String(when.getMilliseconds()).padStart(3, "0")}`;
}

/** Date and time in full, with the zone. */
export const full = (at: number, into: Language): string => dated(into).format(at);

/** A number with at most so many digits after the mark, which Spanish writes as a comma. */
export function trimmed(value: number, digits: number): string {
  const text = String(Number(value.toFixed(digits)));
  return language.value === "es" ? text.replace(".", ",") : text;
}
