import { messages } from "../i18n";
import { Icon } from "./icon";
import { texts } from "./messages";
import "./filterchip.css";

const t = messages(texts);

/** Something that the list is narrowed to, which goes when it is pressed. */
export function FilterChip({ label, onRemove }: { label: string; onRemove: () => void }) {
  return (
    <button type="button" class="filter-chip" aria-label={t("without", { name: label })} title={label} onClick={onRemove}>
      <span class="cut">{label}</span>
      <Icon name="close" size={12} />
    </button>
  );
}
