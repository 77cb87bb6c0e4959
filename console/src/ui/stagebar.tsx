import { duration } from "../format";
import { messages } from "../i18n";
import { texts } from "./messages";
import { segments, stageClass, STAGES, type Stage } from "./stages";
import "./stages.css";

const t = messages(texts);
const WAYS = ["forked", "spawned", "container", "thawed"] as const;

export function stageName(name: string): string {
  const known = STAGES.find((each) => each === name);
  return known ? t(`stage ${known}`) : name;
}

/** How an instance was made. */
export function way(how: string): string {
  const known = WAYS.find((each) => each === how);
  return known ? t(known) : how;
}

/** Stages and how long each was, for who cannot see the bar, and for who points at it. */
export const inWords = (stages: readonly Stage[]): string => stages.map((stage) => `${stageName(stage.name)} ${duration(stage.end - stage.start)}`).join(", ");

/** Which color is which stage; in a bar they are told by words beside it as well. */
export function StageLegend({ names }: { names: readonly string[] }) {
  return (
    <ul class="stage-legend" aria-hidden="true">
      {names.map((name) => <li key={name}><span class={`stage-key ${stageClass(name)}`} />{stageName(name)}</li>)}
    </ul>
  );
}

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
