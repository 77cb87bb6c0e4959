/** Where the time of a request went, stage by stage. Pure. */

/** From and until so many seconds after the request came. */
export interface Stage {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly why: string;
}

/** In the order in which they follow each other. */
export const STAGES = ["queued", "prepare", "create", "thaw", "ready", "hand over", "app", "body"] as const;

/** The class that colors a stage. */
export const stageClass = (name: string): string => `stage-${STAGES.some((each) => each === name) ? name.replace(" ", "-") : "queued"}`;

/** The stages that some requests have, in their order. */
export function stagesOf(requests: readonly { readonly stages: readonly { readonly name: string }[] }[]): string[] {
  const present = new Set(requests.flatMap(({ stages }) => stages.map((stage) => stage.name)));
  return STAGES.filter((name) => present.has(name));
}

export interface Segment {
  readonly name: string;
  /** Per cent of the whole. */
  readonly left: number;
  readonly width: number;
}

/** Stages as parts of a bar; those too short to be seen get the least that can be. */
export function segments(stages: readonly Stage[], total: number, least = 0.75): Segment[] {
  if (total <= 0) return stages.slice(-1).map((stage) => ({ name: stage.name, left: 0, width: 100 }));
  return stages
    .filter((stage) => stage.end > stage.start)
    .map((stage) => {
      const width = Math.max(least, ((stage.end - stage.start) / total) * 100);
      return { name: stage.name, left: Math.min((stage.start / total) * 100, 100 - width), width };
    });
}
