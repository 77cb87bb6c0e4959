import { useEffect, useState } from "preact/hooks";

import { subscribe } from "../../live";
import { route } from "../../router";
import { loadObjects } from "../../state/objects";
import { Trouble } from "../../ui/empty";
import { Create } from "./create";
import { List } from "./list";
import { ObjectView } from "./object";
import "./manifests.css";

/** How long changes are collected before the list is asked for again, in milliseconds. */
const PAUSE = 300;

/** All objects as YAML: to look at, to change, to make, to delete. */
export default function ManifestsPage() {
  const { rest } = route.value;
  const [error, setError] = useState<unknown>(null);
  const load = (): void => {
    loadObjects().then(() => setError(null), setError);
  };
  useEffect(() => {
    load();
    let timer = 0;
    const stop = subscribe("objects", () => {
      clearTimeout(timer);
      timer = window.setTimeout(load, PAUSE);
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
