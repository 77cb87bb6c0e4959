import { messages } from "../i18n";
import { href } from "../router";
import { parse } from "../selection";
import { notices, type Notice } from "../state/notices";
import { Drawer } from "../ui/dialog";
import { Empty } from "../ui/empty";
import { Icon } from "../ui/icon";
import { Time } from "../ui/time";
import { texts } from "./messages";
import "./notices.css";

const t = messages(texts);

/** What happened, in sentences; the newest first. */
export function Notices({ onClose }: { onClose: () => void }) {
  const told = notices.value;
  return (
    <Drawer title={t("notices")} onClose={onClose}>
      {told.length === 0 ? (
        <Empty icon="bell" title={t("notices")}>{t("noNotices")}</Empty>
      ) : (
        <ol class="notices" aria-live="polite" aria-relevant="additions">
          {told.map((notice, index) => <Line key={`${told.length - index}`} notice={notice} onLeave={onClose} />)}
        </ol>
      )}
    </Drawer>
  );
}

function Line({ notice, onLeave }: { notice: Notice; onLeave: () => void }) {
  const level = notice.level === "error" || notice.level === "warning" ? notice.level : "info";
  const object = notice.object ? parse(notice.object) : null;
  return (
    <li class={level}>
      <Icon name={level === "info" ? "info" : "warning"} size={14} />
      <div>
        <p>{notice.text}</p>
        <p class="quiet">
          <Time at={notice.at} />
          {object && <> · <a href={href("map", [], { at: notice.object })} onClick={onLeave}>{object.kind} {object.namespace}/{object.name}</a></>}
        </p>
      </div>
    </li>
  );
}
