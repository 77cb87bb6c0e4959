import { messages } from "../../i18n";
import { ask, go, href, route } from "../../router";
import { covers, selection } from "../../selection";
import { manifestPath, objects, type Listed } from "../../state/objects";
import { Ready } from "../../ui/badge";
import { ButtonLink } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { Search, Select, Switch } from "../../ui/field";
import { Named } from "../../ui/named";
import { Table, type Column } from "../../ui/table";
import { Time } from "../../ui/time";
import { filtered, kindOf, kindsOf, namespacesOf, shortened, type Wanted } from "./filter";
import { texts } from "./messages";

const t = messages(texts);

/** All objects, to find one. Beside an object there is room for its name and state only. */
export function List({ beside }: { beside: boolean }) {
  const { query, rest } = route.value;
  const wanted: Wanted = {
    text: query["text"] ?? "",
    kind: query["kind"] ?? "",
    namespace: query["ns"] ?? "",
    troubled: query["state"] === "troubled",
    generated: query["all"] === "1",
  };
  const all = objects.value;
  const rows = filtered(all, wanted, (object) => selection.value === null || covers(object.kind, object.namespace, object.name));
  const columns: Column<Listed>[] = [
    { key: "kind", title: t("kind"), width: beside ? "32%" : "20%", render: (object) => <span class="quiet">{object.kind}</span> },
    { key: "name", title: t("name"), render: (object) => <Name object={object} /> },
    { key: "ready", title: t("ready"), width: beside ? "112px" : "22%", render: (object) => (object.ready ? <Ready status={object.ready} reason={object.reason} message={object.message} /> : <span class="quiet">–</span>) },
    ...(beside
      ? []
      : [
          { key: "source", title: t("source"), width: "24%", hide: "narrow" as const, render: (object: Listed) => <span class="quiet" title={object.source}>{object.source ? shortened(object.source) : ""}</span> },
          { key: "age", title: t("age"), width: "110px", hide: "narrow" as const, render: (object: Listed) => <span class="quiet"><Time at={object.created} /></span> },
        ]),
  ];
  return (
    <section class="manifest-list" aria-label={t("list")}>
      <div class="page-head">
        <h1>{t("title")}</h1>
        <span class="spread"><ButtonLink href={href("manifests", ["new"])} icon="plus" kind="primary">{t("create")}</ButtonLink></span>
      </div>
      <div class="row">
        <Search label={t("search")} value={wanted.text} onInput={(text) => ask({ text })} />
        <Select bare label={t("kind")} value={wanted.kind} onChange={(kind) => ask({ kind })} options={[{ value: "", label: t("allKinds") }, ...kindsOf(all)]} />
        <Select bare label={t("namespace")} value={wanted.namespace} onChange={(ns) => ask({ ns })} options={[{ value: "", label: t("allNamespaces") }, ...namespacesOf(all).map((value) => ({ value, label: value }))]} />
        <Select bare label={t("state")} value={wanted.troubled ? "troubled" : ""} onChange={(state) => ask({ state })} options={[{ value: "", label: t("allStates") }, { value: "troubled", label: t("notReady") }]} />
        <Switch label={t("generated")} on={wanted.generated} onChange={(on) => ask({ all: on ? "1" : undefined })} />
      </div>
      <Table
        label={t("list")}
        columns={columns}
        rows={rows}
        rowKey={keyOf}
        selected={rest.length === 5 ? rest.join("/") : undefined}
        onOpen={(object) => go("manifests", manifestPath(object), kept(query))}
        empty={all.some((object) => object.own === "") ? <Empty icon="search" title={t("nothing")} /> : <Empty icon="manifests" title={t("none")}>{t("noneHow")}</Empty>}
      />
    </section>
  );
}

function Name({ object }: { object: Listed }) {
  const elsewhere = object.namespace === "default" ? "" : object.namespace;
  return <Named namespace={elsewhere} title={`${kindOf(object)} ${object.namespace}/${object.name}`}>{object.name}</Named>;
}

const keyOf = (object: Listed): string => manifestPath(object).join("/");

/** The filters stay when an object is opened. */
function kept(query: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { text: query["text"], kind: query["kind"], ns: query["ns"], state: query["state"], all: query["all"] };
}
