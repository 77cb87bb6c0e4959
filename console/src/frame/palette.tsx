import { useEffect, useId, useRef, useState } from "preact/hooks";

import { messages } from "../i18n";
import { format, go, PAGES } from "../router";
import { format as at } from "../selection";
import { loadObjects, objects, placeOf, type Listed } from "../state/objects";
import { Dialog } from "../ui/dialog";
import { Icon, type IconName } from "../ui/icon";
import { ranked } from "./ranking";
import { texts } from "./messages";
import "./palette.css";

const t = messages(texts);
const MOST = 40;

interface Entry {
  readonly key: string;
  readonly text: string;
  readonly kind: string;
  readonly icon: IconName;
  readonly run: () => void;
}

/** A page or an object by a few letters of its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [index, setIndex] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  useEffect(() => {
    // Without them pages can still be gone to; that knlite does not answer is said below.
    loadObjects().catch(() => undefined);
  }, []);
  const found = ranked(entries(objects.value), text, (entry) => `${entry.text} ${entry.kind}`).slice(0, MOST);
  const current = Math.min(index, found.length - 1);
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const step = (by: number): void => {
    const next = found.length ? (current + by + found.length) % found.length : 0;
    setIndex(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  return (
    <Dialog title={t("palette")} onClose={onClose} high>
      <div class="palette">
        <input
          class="input"
          role="combobox"
          aria-label={t("palette")}
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={`${id}-list`}
          aria-activedescendant={found[current] ? `${id}-${current}` : undefined}
          placeholder={t("palette")}
          value={text}
          autocomplete="off"
          spellcheck={false}
          autoFocus
          onInput={(event) => {
            setText(event.currentTarget.value);
            setIndex(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") step(1);
            else if (event.key === "ArrowUp") step(-1);
            else if (event.key === "Enter") run(found[current]);
            else return;
            event.preventDefault();
          }}
        />
        <ul id={`${id}-list`} role="listbox" aria-label={t("palette")} ref={list}>
          {found.map((entry, place) => (
            <li key={entry.key} id={`${id}-${place}`} role="option" aria-selected={place === current} onClick={() => run(entry)} onMouseMove={() => setIndex(place)}>
              <Icon name={entry.icon} />
              <span class="cut">{entry.text}</span>
              <span class="quiet spread">{entry.kind}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="quiet" role="status">{t("nothing")}</p>}
      </div>
    </Dialog>
  );
}

function entries(listed: readonly Listed[]): Entry[] {
  return [
    ...PAGES.map((page): Entry => ({ key: page, text: t(page), kind: "", icon: page, run: () => go(page) })),
    ...listed.map((object): Entry => ({
      key: `${object.apiVersion}/${at(object)}`,
      text: object.namespace && object.namespace !== "default" ? `${object.namespace}/${object.name}` : object.name,
      kind: object.kind,
      icon: object.kind === "Service" && object.group === "serving.knative.dev" ? "services" : "manifests",
      run: () => {
        const { page, rest } = placeOf(object);
        location.hash = format(page, rest);
      },
    })),
  ];
}
