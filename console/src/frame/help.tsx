import { messages } from "../i18n";
import { pressed, shown } from "../keys";
import { Dialog } from "../ui/dialog";
import { texts } from "./messages";
import "./help.css";

const t = messages(texts);

/** The keys that do something here and now. */
export function Help({ onClose }: { onClose: () => void }) {
  const said = [...shown.value.map((key) => ({ keys: key.keys, label: key.label() })), { keys: "Esc", label: t("keyClose") }, { keys: "↑ ↓", label: t("keyRows") }];
  return (
    <Dialog title={t("help")} onClose={onClose}>
      <dl class="keys">
        {said.map(({ keys, label }) => (
          <div key={keys + label}>
            <dt>{pressed(keys).map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
