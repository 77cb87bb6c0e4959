import { useState } from "preact/hooks";

import { size } from "../../format";
import { messages } from "../../i18n";
import { Button } from "../../ui/button";
import { save } from "../../ui/clipboard";
import { Code } from "../../ui/code";
import { Tabs } from "../../ui/tabs";
import { texts } from "./messages";
import { attributes, payload, SHOWN } from "./payload";
import type { CloudEvent } from "./types";

const t = messages(texts);

/** What an event says: its data as it is best read, all of it as JSON, its attributes. */
export function PayloadView({ event, headers }: { event: CloudEvent; headers: Readonly<Record<string, string>> }) {
  const [tab, set] = useState("pretty");
  return (
    <Tabs label={t("payload")} current={tab} onChange={set} tabs={[{ id: "pretty", label: t("pretty") }, { id: "raw", label: t("raw") }, { id: "attributes", label: t("attributes") }]}>
      {tab === "pretty" && <Pretty event={event} />}
      {tab === "raw" && <Code text={JSON.stringify(event)} as="json" label={t("raw")} />}
      {tab === "attributes" && <Attributes event={event} headers={headers} />}
    </Tabs>
  );
}

function Pretty({ event }: { event: CloudEvent }) {
  const shown = payload(event);
  if (shown.kind === "none") return <p class="quiet">{t("noData")}</p>;
  const media = String(event["datacontenttype"] ?? "application/json");
  return (
    <div class="stack events-data">
      {shown.kind === "binary" && <p class="quiet">{t(shown.bytes.length > SHOWN ? "binaryPart" : "binaryWhole", { size: size(shown.bytes.length) })}</p>}
      <Code text={shown.text} as={shown.kind === "json" ? "json" : "text"} label={t("payload")} />
      <div class="row quiet">
        <span>{media}</span>
        <span>{size(shown.bytes.length)}</span>
        <span class="spread"><Button kind="quiet" icon="download" onClick={() => save(`${String(event["id"] ?? "event")}.${shown.kind === "json" ? "json" : shown.kind === "text" ? "txt" : "bin"}`, shown.bytes, media)}>{t("download")}</Button></span>
      </div>
    </div>
  );
}

function Attributes({ event, headers }: { event: CloudEvent; headers: Readonly<Record<string, string>> }) {
  const carried = Object.entries(headers);
  return (
    <div class="stack">
      <Pairs pairs={attributes(event)} />
      {carried.length > 0 && <><h3>{t("headers")}</h3><Pairs pairs={carried} /></>}
    </div>
  );
}

function Pairs({ pairs }: { pairs: readonly (readonly [string, string])[] }) {
  return (
    <dl class="events-facts">
      {pairs.map(([name, value]) => <><dt key={name}><code>{name}</code></dt><dd key={`${name}=`}><code>{value}</code></dd></>)}
    </dl>
  );
}
