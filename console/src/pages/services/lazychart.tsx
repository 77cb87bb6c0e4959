import type { ComponentProps, ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import type ChartType from "../../ui/chart";

type Props = ComponentProps<typeof ChartType>;

let found: ComponentType<Props> | null = null;

/** A chart, once what draws it has been fetched: the list needs none. */
export function LazyChart(props: Props) {
  const [, seen] = useState(found !== null);
  useEffect(() => {
    if (!found)
      void import("../../ui/chart").then((module) => {
        found = module.default;
        seen(true);
      });
  }, []);
  const Chart = found;
  return Chart ? <Chart {...props} /> : <div style={{ height: `${props.height ?? 180}px` }} />;
}
