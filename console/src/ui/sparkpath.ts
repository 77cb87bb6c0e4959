/** The path of a sparkline. Pure. */

export interface Drawn {
  readonly line: string;
  readonly area: string;
}

/** `values` at the right of `room` places in a box; the floor is 0. Null if there is nothing to draw. */
export function line(values: readonly number[], room: number, width: number, height: number, max = 0): Drawn | null {
  if (values.length === 0) return null;
  const top = Math.max(max, ...values, 1e-9);
  const step = width / Math.max(1, room - 1);
  const start = width - (values.length - 1) * step;
  const points = values.map((value, index) => `${round(start + index * step)} ${round(height - 1 - (Math.max(0, value) / top) * (height - 2))}`);
  const path = `M${points.join("L")}`;
  return { line: values.length === 1 ? `${path}h0.01` : path, area: `${path}V${height}H${round(start)}Z` };
}

const round = (value: number): number => Math.round(value * 10) / 10;
