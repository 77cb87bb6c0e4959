/** Time ranges that can be chosen: how far back, in milliseconds. */
const MINUTE = 60_000;
export const RANGES = { "5m": 5 * MINUTE, "15m": 15 * MINUTE, "1h": 60 * MINUTE, "24h": 24 * 60 * MINUTE } as const;
type Range = keyof typeof RANGES;

const isRange = (text: string): text is Range => text in RANGES;
export const sinceOf = (range: string, now: number): number => (isRange(range) ? now - RANGES[range] : 0);
