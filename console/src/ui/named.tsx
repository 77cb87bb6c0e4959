import type { ComponentChildren } from "preact";

import "./named.css";

/** `NAMESPACE/NAME`, of which the namespace is cut before the name. */
export function Named({ namespace, children, title }: { namespace: string; children: ComponentChildren; title?: string }) {
  return (
    <span class="named" title={title}>
      {namespace !== "" && <span class="quiet">{namespace}</span>}
      <span>{namespace !== "" && <span class="quiet">/</span>}{children}</span>
    </span>
  );
}
