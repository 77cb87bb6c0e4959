import { signal } from "@preact/signals";

import { messages } from "../i18n";
import { IconButton } from "./button";
import { Icon } from "./icon";
import { texts } from "./messages";
import "./toast.css";

const t = messages(texts);
const LASTS = 6000;
const MOST = 4;

type Kind = "good" | "info" | "warning";
interface Said {
  readonly id: number;
  readonly text: string;
  readonly kind: Kind;
}

const said = signal<readonly Said[]>([]);
let last = 0;

/** Say what came of something. Warnings stay until they are closed. */
export function toast(text: string, kind: Kind = "info"): void {
  const id = (last += 1);
  said.value = [...said.value.slice(1 - MOST), { id, text, kind }];
  if (kind !== "warning") setTimeout(() => forget(id), LASTS);
}

const forget = (id: number): void => {
  said.value = said.value.filter((each) => each.id !== id);
};

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {said.value.map(({ id, text, kind }) => (
        <div key={id} class={`toast ${kind}`}>
          <Icon name={kind === "good" ? "check" : kind === "warning" ? "warning" : "info"} />
          <p>{text}</p>
          <IconButton icon="close" label={t("close")} onClick={() => forget(id)} />
        </div>
      ))}
    </div>
  );
}
