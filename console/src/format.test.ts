import { expect, test } from "vitest";

import { ago, duration, size } from "./format";
import { language } from "./i18n";

test("a length of time has the unit that fits", () => {
  const said = [0, 0.00042, 0.012, 1.254, 42.04, 185, 7440, 180_000, Number.NaN].map(duration);
  expect(said).toEqual(["0 ms", "0.42 ms", "12 ms", "1.25 s", "42 s", "3 min 5 s", "2 h 4 min", "2 d 2 h", "–"]);
});

test("no length of time has sixty seconds, or a thousand milliseconds", () => {
  const said = [0.009996, 0.9996, 9.996, 59.96, 119.7, 3599.7, 86_399, -2].map(duration);
  expect(said).toEqual(["10 ms", "1 s", "10 s", "1 min 0 s", "2 min 0 s", "1 h 0 min", "1 d 0 h", "−2 s"]);
});

test("sizes are counted in powers of 1024", () => {
  expect([0, 512, 1536, 20 * 1024 * 1024].map(size)).toEqual(["0 B", "512 B", "1.5 KiB", "20 MiB"]);
});

test("a fraction has the mark of the language", () => {
  language.value = "es";
  expect([duration(1.254), size(1536)]).toEqual(["1,25 s", "1,5 KiB"]);
  language.value = "en";
});

test("how long ago is said in both languages", () => {
  expect(ago(0, 3_000, "en")).toBe("3s ago");
  expect(ago(0, 3 * 3_600_000, "es")).toBe("hace 3 h");
  expect(ago(5_000, 5_000, "en")).toBe("now");
});
