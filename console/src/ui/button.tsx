import type { ComponentChildren, Ref } from "preact";

import { Icon, type IconName } from "./icon";
import "./button.css";

interface ButtonProps {
  children: ComponentChildren;
  onClick?: (event: MouseEvent) => void;
  kind?: "plain" | "primary" | "danger" | "quiet";
  icon?: IconName;
  disabled?: boolean;
  /** While what it began goes on: it stays, says so, and cannot be pressed again. */
  busy?: boolean;
  pressed?: boolean;
  title?: string;
  submit?: boolean;
  buttonRef?: Ref<HTMLButtonElement>;
}

export function Button({ children, onClick, kind = "plain", icon, disabled, busy, pressed, title, submit, buttonRef }: ButtonProps) {
  return (
    <button ref={buttonRef} type={submit ? "submit" : "button"} class={`button ${kind}`} onClick={onClick} disabled={disabled || busy} aria-busy={busy || undefined} aria-pressed={pressed} title={title}>
      {busy ? <span class="spinner" /> : icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

interface IconButtonProps {
  icon: IconName;
  /** What it does; read aloud, and shown when pointed at. */
  label: string;
  onClick?: (event: MouseEvent) => void;
  disabled?: boolean;
  pressed?: boolean;
  expanded?: boolean;
}

export function IconButton({ icon, label, onClick, disabled, pressed, expanded }: IconButtonProps) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick} disabled={disabled} aria-pressed={pressed} aria-expanded={expanded}>
      <Icon name={icon} />
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({ children, href, icon, kind = "plain", elsewhere }: { children: ComponentChildren; href: string; icon?: IconName; kind?: "plain" | "primary" | "quiet"; elsewhere?: boolean }) {
  return (
    <a class={`button ${kind}`} href={href} {...(elsewhere ? { target: "_blank", rel: "noreferrer noopener" } : {})}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  );
}
