import { messages } from "../../../i18n";
import { href } from "../../../router";
import { ButtonLink } from "../../../ui/button";
import { Trouble } from "../../../ui/empty";
import { texts } from "../messages";
import { Deliveries, Header } from "../story";
import { Tree } from "../tree";
import { useStory } from "../usestory";

const t = messages(texts);

/** The story of what was just sent, as it goes on. */
export function Followed({ arrival }: { arrival: number }) {
  const { story, tree, error, again } = useStory(arrival);
  if (error !== null) return <Trouble error={error} retry={again} />;
  if (!story) return <p class="quiet">…</p>;
  return (
    <div class="stack">
      <Header story={story} />
      <Deliveries story={story} bare />
      {tree && tree.children.length > 0 && <Tree tree={tree} />}
      <div class="row">
        <ButtonLink icon="events" href={href("events", [String(arrival)])}>{t("event")}</ButtonLink>
        <ButtonLink icon="map" href={href("map", [], { event: String(arrival), at: undefined })}>{t("map")}</ButtonLink>
      </div>
    </div>
  );
}
