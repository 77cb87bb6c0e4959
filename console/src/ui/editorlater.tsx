import { useEffect, useState } from "preact/hooks";

import type { EditorProps } from "./editor";
import "./field.css";

type Loaded = typeof import("./editor").default;
let loaded: Loaded | null = null;

/** The editor, once it has been fetched; a plain field until then, and where it cannot be. */
export function EditorLater(props: EditorProps) {
  const [Found, set] = useState<Loaded | null>(() => loaded);
  useEffect(() => {
    if (loaded) return;
    import("./editor").then(
      (module) => {
        loaded = module.default;
        set(() => loaded);
      },
      () => undefined,
    );
  }, []);
  if (Found) return <Found {...props} />;
  return (
    <textarea
      class="input mono editor"
      aria-label={props.label}
      value={props.text}
      readOnly={props.readOnly}
      spellcheck={false}
      onInput={(event) => props.onChange?.(event.currentTarget.value)}
    />
  );
}
