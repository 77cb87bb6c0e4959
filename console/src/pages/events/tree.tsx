import { messages } from "../../i18n";
import { href, route } from "../../router";
import { texts } from "./messages";
import { StateBadge } from "./statebadge";
import { named, type Branch } from "./types";

const t = messages(texts);

/** The events that came of one, below it. */
export function Tree({ tree }: { tree: Branch }) {
  return (
    <ul class="events-tree">
      <Node branch={tree} root />
    </ul>
  );
}

function Node({ branch, root }: { branch: Branch; root?: boolean }) {
  const { event, via } = branch;
  const name = <span class="cut"><strong>{event.type}</strong> <code>{event.id}</code></span>;
  return (
    <li>
      <span class="row events-node">
        <StateBadge state={event.state} bare />
        {root ? name : <a class="cut" href={href("events", [String(event.arrival)], route.value.query)}>{name}</a>}
        {via && <span class="quiet">{branch.leg === "reply" ? t("leg.reply") : branch.leg === "dead letter sink" ? t("leg.dead letter sink") : "→"} · {via.kind} {named(via)} → {event.to.kind} {named(event.to)}</span>}
      </span>
      {(branch.children.length > 0 || branch.leftOut > 0) && (
        <ul>
          {branch.children.map((child) => <Node key={child.event.arrival} branch={child} />)}
          {branch.leftOut > 0 && <li class="quiet">{t("treeMore", { n: branch.leftOut })}</li>}
        </ul>
      )}
    </li>
  );
}
