import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { messages } from "../i18n";
import { useEscape } from "../keys";
import { Button, IconButton } from "./button";
import { texts } from "./messages";
import "./dialog.css";

const t = messages(texts);

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** The buttons below, the one that does it last. */
  actions?: ComponentChildren;
  wide?: boolean;
  /** Stays where it begins, however its height changes. */
  high?: boolean;
}

/** A question or a form that everything else waits for. Esc and a click beside it close it. */
export function Dialog({ title, onClose, children, actions, wide, high }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog${wide ? " wide" : ""}${high ? " high" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label={t("close")} onClick={onClose} />
        </header>
        <div class="dialog-content">{children}</div>
        {actions && <footer>{actions}</footer>}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ComponentChildren;
  /** The word on the button that does it, and the one that does not. */
  yes: string;
  no: string;
  danger?: boolean;
  busy?: boolean;
  onYes: () => void;
  onNo: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, children, yes, no, danger, busy, onYes, onNo }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      onClose={onNo}
      actions={
        <>
          <Button onClick={onNo}>{no}</Button>
          <Button kind={danger ? "danger" : "primary"} onClick={onYes} {...(busy ? { busy } : {})}>{yes}</Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}

/** Details of a row, beside the list on wide screens and over it on narrow ones. Esc closes it. */
export function Drawer({ title, onClose, children, actions, wide }: DialogProps) {
  const id = useId();
  const ref = useRef<HTMLElement>(null);
  useEscape(onClose);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <aside ref={ref} class={`drawer${wide ? " wide" : ""}`} aria-labelledby={id} tabIndex={-1}>
      <header>
        <h2 id={id} class="cut">{title}</h2>
        <div class="row spread">{actions}</div>
        <IconButton icon="close" label={t("close")} onClick={onClose} />
      </header>
      <div class="drawer-content">{children}</div>
    </aside>
  );
}
