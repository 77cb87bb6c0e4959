import { useState } from "preact/hooks";

import { messages } from "../../i18n";
import { useKeys } from "../../keys";
import { go, href, route } from "../../router";
import { Button, ButtonLink } from "../../ui/button";
import { Drawer } from "../../ui/dialog";
import { Trouble } from "../../ui/empty";
import { Time } from "../../ui/time";
import { redrive, replay } from "./actions";
import { Delivery } from "./delivery";
import { Menu } from "./menu";
import { texts } from "./messages";
import { PayloadView } from "./payloadview";
import { StateBadge } from "./statebadge";
import { Tree } from "./tree";
import { goesOn, named, type Sent, type Story as Told } from "./types";
import { useStory } from "./usestory";

const t = messages(texts);

/** One event: what it is, who wanted it and why, and what became of it. */
export function Story({ arrival, onClose }: { arrival: number; onClose: () => void }) {
  const { story, tree, error, again } = useStory(arrival);
  return (
    <Drawer title={story ? String(story.event["type"] ?? "") : t("event")} onClose={onClose} wide>
      {error !== null && <Trouble error={error} retry={again} />}
      {story && (
        <>
          <Header story={story} />
          <Actions story={story} />
          <PayloadView event={story.event} headers={story.headers} />
          <Deliveries story={story} />
          {tree && tree.children.length > 0 && (
            <section class="stack events-section" aria-label={t("tree")}>
              <h3>{t("tree")}</h3>
              <Tree tree={tree} />
            </section>
          )}
        </>
      )}
    </Drawer>
  );
}

/** Who wanted it, and what became of it there; `bare`: nothing can be done about it. */
export function Deliveries({ story, bare }: { story: Told; bare?: boolean }) {
  const from = Date.parse(story.at);
  const rows = [...story.rows].sort((a, b) => Number(b.matched) - Number(a.matched));
  return (
    <section class="stack events-section" aria-label={t("triggers")}>
      <h3>{t("triggers")}</h3>
      {story.rows.length === 0 && <p class="quiet">{t("noRows")}</p>}
      {rows.map((row) => <Delivery key={row.uid} row={row} from={from} arrival={bare ? 0 : story.arrival} eventId={String(story.event["id"] ?? "")} />)}
    </section>
  );
}

export function Header({ story }: { story: Told }) {
  const { query } = route.value;
  const other = (arrival: number) => <a key={arrival} href={href("events", [String(arrival)], query)}>{arrival}</a>;
  return (
    <div class="stack events-header">
      <div class="row" aria-live="polite">
        <StateBadge state={story.state} />
        <span>{story.why}</span>
        {goesOn(story.state) && <span class="quiet">· {t("live")}</span>}
      </div>
      <dl class="events-facts">
        <dt>{t("id")}</dt>
        <dd><code>{String(story.event["id"] ?? "")}</code></dd>
        <dt>{t("came")}</dt>
        <dd><Time at={story.at} show="clock" /> <span class="quiet">(<Time at={story.at} />)</span> {t("from", { sender: story.sender || "?" })}</dd>
        <dt>{t("to")}</dt>
        <dd><a href={href("map", [], { at: `${story.to.kind}/${named(story.to)}` })}>{story.to.kind} {named(story.to)}</a></dd>
        {story.replayOf > 0 && <><dt>{t("replayOf")}</dt><dd>{other(story.replayOf)}</dd></>}
        {story.replays.length > 0 && <><dt>{t("replays")}</dt><dd class="row">{story.replays.map(other)}</dd></>}
      </dl>
    </div>
  );
}

function Actions({ story }: { story: Told }) {
  const [busy, set] = useState(false);
  const during = (send: () => Promise<Sent[]>) => async (): Promise<void> => {
    if (busy) return;
    set(true);
    const [first] = await send();
    set(false);
    if (first) go("events", [String(first.arrival)], route.value.query);
  };
  const resend = during(() => replay(story.arrival));
  const edit = (): void => go("send", [], { event: String(story.arrival) });
  useKeys([
    { keys: "r", label: () => t("keyResend"), run: () => void resend() },
    { keys: "e", label: () => t("keyEdit"), run: edit },
  ]);
  const troubled = story.rows.some((row) => row.state === "failed" || row.state === "dead-lettered");
  return (
    <div class="row events-actions">
      {troubled && <Button kind="primary" icon="refresh" busy={busy} title={t("redriveWhy")} onClick={() => void during(() => redrive(story.arrival))()}>{t("redrive")}</Button>}
      <Button icon="send" busy={busy} title={t("resendWhy")} onClick={() => void resend()}>{t("resend")}</Button>
      <Button kind="quiet" icon="edit" title={t("editWhy")} onClick={edit}>{t("edit")}</Button>
      <ButtonLink kind="quiet" icon="map" href={href("map", [], { event: String(story.arrival), at: undefined })}>{t("map")}</ButtonLink>
      <Menu story={story} />
    </div>
  );
}
