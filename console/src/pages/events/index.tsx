import { useEffect, useState } from "preact/hooks";

import { messages } from "../../i18n";
import { ask, go, href, route } from "../../router";
import { selection } from "../../selection";
import { useFollowing } from "../../state/follow";
import { followGraph, graph } from "../../state/graph";
import { ButtonLink } from "../../ui/button";
import { Views } from "../../ui/views";
import { Letters } from "./letters";
import { List } from "./list";
import { texts } from "./messages";
import { sinceOf } from "./ranges";
import { facetsOf } from "./searchbar";
import { params, parse, selectedParams } from "./search";
import { SendForm } from "./send/form";
import { Story } from "./story";
import "./events.css";

const t = messages(texts);

/** Events: the list or the dead letters, the story of one beside it, and the form to send one. */
export default function EventsPage() {
  const { page, rest, query } = route.value;
  if (page === "send") return <SendForm />;
  const arrival = Number(rest[0] ?? 0);
  const letters = query["tab"] === "dead-letters";
  return (
    <div class="page events">
      <div class="page-head">
        <h1>{t("title")}</h1>
        <Views
          label={t("title")}
          current={letters ? "letters" : "events"}
          views={[
            { id: "events", label: t("title"), href: href("events", [], { q: query["q"] }) },
            { id: "letters", label: t("deadLetters"), href: href("events", [], { q: query["q"], tab: "dead-letters" }) },
          ]}
        />
        <span class="spread"><ButtonLink href={href("send")} icon="send" kind="primary">{t("send")}</ButtonLink></span>
      </div>
      <Shown letters={letters} arrival={arrival} />
      {arrival > 0 && <Story arrival={arrival} onClose={() => go("events", [], { ...query, at: query["at"] })} />}
    </div>
  );
}

/** Milliseconds that somebody who types is given to go on. */
const TYPING = 250;

function Shown({ letters, arrival }: { letters: boolean; arrival: number }) {
  useFollowing(followGraph);
  const { query } = route.value;
  const typed = facetsOf(query);
  const settled = useSettled(typed);
  // What a time range means is settled when it is chosen: a list whose beginning moves is another one.
  const range = query["when"] ?? "";
  const [chosen, setChosen] = useState({ range, since: sinceOf(range, Date.now()) });
  if (chosen.range !== range) setChosen({ range, since: sinceOf(range, Date.now()) });
  const asked = params(parse(settled), selectedParams(selection.value, graph.value), chosen.since);
  const change = (next: string): void => ask({ q: next, id: undefined });
  const shared = { typed, asked, arrival, onType: change };
  return letters ? <Letters {...shared} /> : <List {...shared} />;
}

/** A value that has not changed for a moment. */
function useSettled(value: string): string {
  const [settled, set] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => set(value), TYPING);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
