/** Histograms as charts take them. Pure. */
import type { Bin } from "./model";

const LEAST = 0.00005;

/** The middle of each bin, as seconds, and how many there are; empty bins between others are told as 0. */
export function chartOf(bins: readonly Bin[]): [number[], number[]] {
  const x: number[] = [];
  const y: number[] = [];
  bins.forEach((bin, index) => {
    const before = bins[index - 1];
    if (before && bin.start > before.end * 1.0001) {
      x.push(Math.sqrt(before.end * bin.start));
      y.push(0);
    }
    x.push(Math.sqrt(Math.max(bin.start, LEAST) * Math.max(bin.end, LEAST)));
    y.push(bin.count);
  });
  return [x, y];
}
