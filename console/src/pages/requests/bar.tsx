import { segments, type Stage } from "./model";
import { stageClass } from "./words";

/** Stages as one bar; what it shows is said in words beside it. */
export function Bar({ stages, total, width = 100 }: { stages: readonly Stage[]; total: number; width?: number }) {
  return (
    <svg class="stage-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" style={{ width: `${width}%` }}>
      {segments(stages, total).map((segment) => (
        <rect key={segment.name} class={stageClass(segment.name)} x={segment.left} y="0" width={segment.width} height="10" />
      ))}
    </svg>
  );
}

/** One stage at its place in the whole time. */
export function StageBar({ stage, total }: { stage: Stage; total: number }) {
  const [segment] = segments([stage], total, 0.5);
  if (!segment) {
    const at = total > 0 ? (stage.start / total) * 100 : 0;
    return <svg class="stage-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="stage-none" x={Math.min(at, 99.6)} y="0" width="0.4" height="10" /></svg>;
  }
  return (
    <svg class="stage-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class={stageClass(segment.name)} x={segment.left} y="0" width={segment.width} height="10" />
    </svg>
  );
}
