/** A sign for each kind; which kind it is stands beside it in words. Drawn on a grid of 16. */
import type { GraphNode } from "../../state/graph";

const SIGNS: Readonly<Record<string, string>> = {
  PingSource: "M8 14A5.5 5.5 0 1 0 8 3a5.5 5.5 0 0 0 0 11ZM8 5.6v3l2 1.4M6.2 1.5h3.6",
  ApiServerSource: "M2.5 4h11v8h-11zM5 7l1.5 1.3L5 9.6M8.2 9.8H11",
  ContainerSource: "M2.5 5 8 2l5.5 3v6L8 14l-5.5-3zM2.7 5.1 8 8l5.3-2.9M8 8v5.8",
  SinkBinding: "M6.6 9.4a2.5 2.5 0 0 0 3.6.2l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.9.9M9.4 6.6a2.5 2.5 0 0 0-3.6-.2L3.6 8.6a2.6 2.6 0 0 0 3.7 3.7l.9-.9",
  Broker: "M8 1.8 13.4 5v6L8 14.2 2.6 11V5zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  Trigger: "M2 3h12L9.5 8.3V13l-3-1.4V8.3z",
  Channel: "M1.8 5.5h12.4M1.8 10.5h12.4M5 8h6M9.4 6.3 11.2 8 9.4 9.7",
  Subscription: "M2 8h6M5.8 5.6 8.2 8l-2.4 2.4M10.5 3.5h3v9h-3",
  Sequence: "M1.8 6h3v4h-3zM6.5 6h3v4h-3zM11.2 6h3v4h-3zM4.8 8h1.7M9.5 8h1.7",
  Parallel: "M2 8h3.5M5.5 8c2 0 1.5-4 4-4H14M5.5 8c2 0 1.5 4 4 4H14M5.5 8H14",
  EventTransform: "M3 5h7.5M8.3 2.8 10.6 5 8.3 7.2M13 11H5.5M7.7 8.8 5.4 11l2.3 2.2",
  RequestReply: "M2.5 6h9M9 3.5 11.5 6M13.5 10h-9M7 12.5 4.5 10",
  Service: "M4.5 12.5h7a2.8 2.8 0 0 0 .4-5.6A4 4 0 0 0 4.2 7.6a2.5 2.5 0 0 0 .3 4.9Z",
  JobSink: "M2.5 5.5h11v7.5h-11zM6 5.3V3.2h4v2.1M2.5 9h11",
  Kafka: "M5 8a1.6 1.6 0 1 0 0-.01M10.8 4.6a1.5 1.5 0 1 0 0-.01M10.8 11.4a1.5 1.5 0 1 0 0-.01M6.4 7.2l2.9-1.9M6.4 8.8l2.9 1.9",
  URI: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM1.8 8h12.4M8 1.8c1.9 2 2.6 3.9 2.6 6.2s-.7 4.2-2.6 6.2c-1.9-2-2.6-3.9-2.6-6.2S6.1 3.8 8 1.800Z",
  Namespace: "M2.5 2.500h4.500v4.500h-4.500zM9 2.500h4.500v4.500H9zM2.5 9h4.500v4.500h-4.500zM9 9h4.500v4.500H9z",
};
const DEPLOYED = "M2.5 4.500h11v3h-11zM2.5 8.500h11v3h-11zM5 6h.01M5 10h.01";

export function Sign({ node }: { node: GraphNode }) {
  return (
    <span class={`sign is-${node.role}`} aria-hidden="true">
      <svg width="18" height="18" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" focusable="false">
        <path d={signOf(node.kind)} />
      </svg>
    </span>
  );
}

function signOf(kind: string): string {
  if (kind.startsWith("Kafka") && kind !== "KafkaChannel") return SIGNS["Kafka"] ?? DEPLOYED;
  if (kind.endsWith("Channel")) return SIGNS["Channel"] ?? DEPLOYED;
  return SIGNS[kind] ?? DEPLOYED;
}

/** A kind as people write it: Kubernetes' own Service has the name of Knative's. */
export const kindText = (kind: string): string => (kind === "KubernetesService" ? "Service (v1)" : kind);
