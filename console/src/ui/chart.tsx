/** Charts with axes. uPlot draws on a canvas, so it is told the colors, and again when they change. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { colorOf, repainted } from "../theme";
import "./chart.css";

export interface Series {
  readonly label: string;
  /** A custom property, as `--accent`. */
  readonly color: string;
  readonly width?: number;
  readonly fill?: boolean;
  readonly bars?: boolean;
  readonly dash?: readonly number[];
}

interface ChartProps {
  /** What it shows, for who cannot see it. */
  label: string;
  /** The x values, then those of each series; null where there is none. */
  data: readonly (readonly (number | null)[])[];
  series: readonly Series[];
  height?: number;
  /** Whether x are seconds since 1970. */
  time?: boolean;
  /** A logarithmic x axis. */
  log?: boolean;
  xText?: (x: number) => string;
  yText?: (y: number) => string;
}

export default function Chart({ label, data, series, height = 180, time = false, log = false, xText, yText }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(data);
  newest.current = data;
  const painted = repainted.value;
  const shape = JSON.stringify([series, height, time, log, painted]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const axis = { stroke: colorOf("--muted"), grid: { stroke: colorOf("--line"), width: 1 }, ticks: { stroke: colorOf("--line"), width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
    const made = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: series.length > 1 },
        cursor: { drag: { x: false, y: false }, points: { size: 6 } },
        scales: { x: { time, ...(log ? { distr: 3 as const, log: 10 as const } : {}) }, y: { range: (_plot, _min, max) => [0, Math.max(max, 1e-9) * 1.08] } },
        axes: [
          { ...axis, size: 30, ...(xText ? { values: (_plot: uPlot, ticks: number[]) => ticks.map((tick) => (tick == null ? "" : xText(tick))) } : {}) },
          { ...axis, size: 56, ...(yText ? { values: (_plot: uPlot, ticks: number[]) => ticks.map((tick) => yText(tick)) } : {}) },
        ],
        series: [
          { ...(xText ? { value: (_plot: uPlot, x: number) => (x == null ? "" : xText(x)) } : {}) },
          ...series.map((each) => {
            const stroke = colorOf(each.color);
            return {
              label: each.label,
              stroke,
              width: each.width ?? 1.5,
              ...(each.fill || each.bars ? { fill: stroke.replace("rgb(", "rgba(").replace(")", ", 0.2)") } : {}),
              ...(each.dash ? { dash: [...each.dash] } : {}),
              ...(each.bars && uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.9, 40] }) } : {}),
              points: { show: false },
              ...(yText ? { value: (_plot: uPlot, y: number) => (y == null ? "" : yText(y)) } : {}),
            };
          }),
        ],
      },
      newest.current as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);
  return <div class="chart" ref={box} role="img" aria-label={label} />;
}
