import type { ComponentChildren } from "preact";

import "./badge.css";

/** Tones say what kind of state it is; the word says which. */
export type Tone = "ready" | "starting" | "frozen" | "failed" | "gone" | "accent";

const SHAPES: Record<Tone, string> = { ready: "●", starting: "◐", frozen: "❄\uFE0E", failed: "▲", gone: "○", accent: "◆" };

/** A state: its word, and a shape and color for whoever looks from afar. */
export function Badge({ tone, children, title, bare }: { tone: Tone; children: ComponentChildren; title?: string; bare?: boolean }) {
  return (
    <span class={`badge ${tone}${bare ? " bare" : ""}`} title={title}>
      <span class="shape" aria-hidden="true">{SHAPES[tone]}</span>
      <span>{children}</span>
    </span>
  );
}

/** The badge of a condition's status. */
export function Ready({ status, reason, message }: { status: string; reason?: string; message?: string }) {
  const tone: Tone = status === "True" ? "ready" : status === "False" ? "failed" : status === "Unknown" ? "starting" : "gone";
  const word = status === "True" ? "Ready" : reason || (status === "False" ? "NotReady" : status === "Unknown" ? "Unknown" : "–");
  return <Badge tone={tone} {...(message ? { title: message } : {})}>{word}</Badge>;
}
