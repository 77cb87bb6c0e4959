import { useEffect, useRef, useState } from "preact/hooks";

import { subscribe } from "../../live";
import { route } from "../../router";
import { loadObjects } from "../../state/objects";
import { Trouble } from "../../ui/empty";
import { Create } from "./create";
import { List } from "./list";
import { ObjectView } from "./object";
import "./manifests.css";

/** How long changes are collected before the list is asked for again, in milliseconds; and how many
 * times as long as the last answer took: with thousands of objects that change, a list is much. */
const PAUSE = 300;
const TIMES = 10;

/** All objects as YAML: to look at, to change, to make, to delete. */
export default function ManifestsPage() {
  const { rest } = route.value;
  const [error, setError] = useState<unknown>(null);
  const pause = useRef(PAUSE);
  const load = (): void => {
    const began = performance.now();
    loadObjects().then(() => {
      pause.current = Math.max(PAUSE, TIMES * (performance.now() - began));
      setError(null);
    }, setError);
  };
  useEffect(() => {
    load();
    let timer = 0;
    const stop = subscribe("objects", () => {
      timer ||= window.setTimeout(() => {
        timer = 0;
        load();
      }, pause.current);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, []);
  const open = rest.length === 5 || rest[0] === "new";
  return (
    <div class={`manifests${open ? " open" : ""}`}>
      {error ? <Trouble error={error} retry={load} /> : null}
      <List beside={open} />
      {rest[0] === "new" ? <Create /> : rest.length === 5 ? <ObjectView key={rest.join("/")} parts={rest} /> : null}
    </div>
  );
}
