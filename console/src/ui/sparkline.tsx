import { line } from "./sparkpath";
import "./sparkline.css";

interface SparklineProps {
  /** Oldest first. */
  values: readonly number[];
  /** What it shows, with its newest value, for who cannot see it. */
  label: string;
  /** The value at the top; at least the greatest. */
  max?: number;
  width?: number;
  height?: number;
  tone?: "accent" | "ready" | "frozen" | "failed" | "starting";
  /** Room for so many values: fewer begin at the right. */
  room?: number;
}

/** How a number has gone, small enough to stand in a line of text. */
export function Sparkline({ values, label, max, width = 120, height = 24, tone = "accent", room = 60 }: SparklineProps) {
  const drawn = line(values.slice(-room), room, width, height, max);
  return (
    <svg class={`sparkline ${tone}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      <title>{label}</title>
      <path class="floor" d={`M0 ${height - 0.5}H${width}`} />
      {drawn && <path class="area" d={drawn.area} />}
      {drawn && <path class="line" d={drawn.line} />}
    </svg>
  );
}
