/** The Map: who sends to whom, and what goes on there now. */
import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { messages } from "../../i18n";
import { useKeys } from "../../keys";
import { keep } from "../../kept";
import { LONG_PAUSE, PAUSE, paced } from "../../pace";
import { ask, href } from "../../router";
import { flow, followFlow } from "../../state/flow";
import { useFollowing } from "../../state/follow";
import { followGraph, graph, graphKnown } from "../../state/graph";
import { followInstances } from "../../state/instances";
import { Button } from "../../ui/button";
import { Copy } from "../../ui/copy";
import { Empty } from "../../ui/empty";
import { Select } from "../../ui/field";
import { Views } from "../../ui/views";
import { MOST, within } from "./folding";
import { List } from "./list";
import { texts } from "./messages";
import { beat, flows, namespace, namespaces, opened, seconds } from "./model";
import { Panel } from "./panel";
import { PathBar } from "./path";
import { Stage } from "./stage";
import { view, type View } from "./view";
import "./map.css";

const t = messages(texts);

export default function MapPage() {
  useFollowing(followGraph, followInstances, followFlow);
  useCounting();
  useKeys([{ keys: "o", label: () => t("keyOutline"), run: () => show(view.value === "list" ? "drawing" : "list") }]);
  const empty = useComputed(() => graph.value.nodes.length === 0).value;
  return (
    <div class="page map">
      <div class="page-head">
        <h1>{t("title")}</h1>
        {namespaces.value.length > 1 && (
          <Select label={t("namespace")} bare value={namespace.value} onChange={(value) => ask({ ns: value || undefined })} options={[{ value: "", label: t("allNamespaces") }, ...namespaces.value.map((each) => ({ value: each, label: each }))]} />
        )}
        {opened.value.size > 0 && within(graph.value, namespace.value).nodes.length > MOST && <Button onClick={() => (opened.value = new Set())}>{t("fold")}</Button>}
        <div class="spread"><Views label={t("view")} current={view.value} onChange={show} views={[{ id: "drawing", label: t("asMap"), icon: "map" }, { id: "list", label: t("asList"), icon: "logs" }]} /></div>
      </div>
      <PathBar />
      {!graphKnown.value ? <p class="quiet" role="status">{t("loading")}</p> : empty ? <Nothing /> : (
        <div class="map-body">
          {view.value === "list" ? <List /> : <Stage />}
          <Panel />
        </div>
      )}
    </div>
  );
}

function show(next: View): void {
  view.value = next;
  keep("map", next);
}

/** Count what the feed tells, and look again while rates fall; nothing ticks where nothing happens. */
function useCounting(): void {
  useEffect(() => {
    let timer = 0;
    const pace = paced(() => (beat.value = beat.peek() + 1), () => (flows.inAll(seconds()) ? LONG_PAUSE : PAUSE));
    const uncount = flow.subscribe(({ counts, at }) => {
      flows.take(counts, at / 1000 || seconds());
      pace.wanted();
    });
    const stop = beat.subscribe(() => {
      if (timer !== 0 || !flows.moving(seconds())) return;
      timer = window.setTimeout(() => {
        timer = 0;
        pace.wanted();
      }, 1000);
    });
    return () => {
      uncount();
      stop();
      pace.end();
      clearTimeout(timer);
    };
  }, []);
}

function Nothing() {
  return (
    <Empty icon="map" title={t("emptyTitle")}>
      <p>{t("emptyText")}</p>
      <p class="command"><code>knlite up examples/</code><Copy text="knlite up examples/" /></p>
      <p>{t("emptyApply")} <a href={href("manifests")}>{t("emptyManifests")}</a></p>
    </Empty>
  );
}
