import { Icon, type IconName } from "./icon";
import "./views.css";

export interface View<T extends string> {
  readonly id: T;
  readonly label: string;
  readonly icon?: IconName;
  /** Where it is, if it has an address of its own. */
  readonly href?: string;
}

interface ViewsProps<T extends string> {
  label: string;
  views: readonly View<T>[];
  current: T;
  /** Of views without an address. */
  onChange?: (id: T) => void;
}

/** A few ways to look at the same, of which one is shown. Stands beside the title of the page. */
export function Views<T extends string>({ label, views, current, onChange }: ViewsProps<T>) {
  return (
    <nav class="views" aria-label={label}>
      {views.map((view) => {
        const said = <>{view.icon && <Icon name={view.icon} />}<span>{view.label}</span></>;
        const shown = view.id === current;
        if (view.href !== undefined) return <a key={view.id} href={view.href} aria-current={shown ? "page" : undefined}>{said}</a>;
        return <button key={view.id} type="button" aria-pressed={shown} onClick={() => onChange?.(view.id)}>{said}</button>;
      })}
    </nav>
  );
}
