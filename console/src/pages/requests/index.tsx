/** Requests: the list of the last, one with its waterfall, and how long they take. */
import { lazily } from "../../frame/lazily";
import { href, route } from "../../router";
import { useFollowing } from "../../state/follow";
import { followGraph } from "../../state/graph";
import { Views } from "../../ui/views";
import { List } from "./list";
import { Story } from "./story";
import { t } from "./words";
import "./requests.css";

/** Its charts are the largest part of the page, and most come for the list. */
const Latency = lazily(() => import("./latency"));

export default function RequestsPage() {
  const { rest, query } = route.value;
  useFollowing(followGraph);
  const view = query["view"] === "latency" ? "latency" : "list";
  const id = rest[0];
  return (
    <div class="page requests">
      <div class="page-head">
        <h1>{t("title")}</h1>
        <Views
          label={t("views")}
          current={view}
          views={[
            { id: "list", label: t("list"), href: href("requests", [], { ...query, view: undefined }) },
            { id: "latency", label: t("latency"), href: href("requests", [], { ...query, view: "latency" }) },
          ]}
        />
      </div>
      {view === "list" ? <List /> : <Latency />}
      {id !== undefined && <Story key={`${id} ${query["number"] ?? ""}`} id={id} number={query["number"] ?? ""} />}
    </div>
  );
}
