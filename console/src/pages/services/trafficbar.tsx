import { useRef, useState } from "preact/hooks";

import { messages } from "../../i18n";
import { texts } from "./messages";
import { bounds, moved, shortName, type Target } from "./split";
import "./trafficbar.css";

const t = messages(texts);
const STEP = 1;
const LEAP = 10;

interface TrafficBarProps {
  service: string;
  targets: readonly Target[];
  onChange: (targets: readonly Target[]) => void;
  onApply: () => void;
  onCancel: () => void;
  disabled?: boolean;
}

/** Shares as parts of a bar. Between two of them is a handle that mouse, finger and keys move. */
export function TrafficBar({ service, targets, onChange, onApply, onCancel, disabled }: TrafficBarProps) {
  const bar = useRef<HTMLDivElement>(null);
  const [held, hold] = useState<number | null>(null);
  const places = bounds(targets);

  const placeOf = (event: PointerEvent): number => {
    const box = bar.current?.getBoundingClientRect();
    return box && box.width > 0 ? (100 * (event.clientX - box.left)) / box.width : 0;
  };
  const onKeyDown = (event: KeyboardEvent, index: number): void => {
    const at = places[index] ?? 0;
    const to = reached(event.key, at);
    if (to !== null) onChange(moved(targets, index, to));
    else if (event.key === "Enter") onApply();
    else if (event.key === "Escape") onCancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div class={`traffic-bar${held === null ? "" : " held"}`} ref={bar}>
      {targets.map((each, index) => (
        <div key={each.key} class={`share s${index % 6}`} style={{ width: `${each.percent}%` }} title={named(each, service)}>
          <span class="share-text" aria-hidden="true">
            <b>{each.percent} %</b> <span class="share-name">{shortName(each.revision, service)}</span>
          </span>
        </div>
      ))}
      {places.map((place, index) => (
        <div
          key={`${targets[index]?.key ?? index}|`}
          class={`handle${held === index ? " held" : ""}`}
          style={{ left: `${place}%` }}
          role="slider"
          tabIndex={disabled ? -1 : 0}
          aria-label={t("handle", { left: targets[index]?.revision ?? "", right: targets[index + 1]?.revision ?? "" })}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={place}
          aria-valuetext={told([targets[index], targets[index + 1]].filter((each) => each !== undefined))}
          aria-disabled={disabled}
          onKeyDown={(event) => {
            if (!disabled) onKeyDown(event, index);
          }}
          onPointerDown={(event) => {
            if (disabled || event.button !== 0) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            event.currentTarget.focus();
            event.preventDefault();
            hold(index);
          }}
          onPointerMove={(event) => {
            if (held === index) onChange(moved(targets, index, placeOf(event)));
          }}
          onPointerUp={() => hold(null)}
          onPointerCancel={() => hold(null)}
        >
          <span class="grip" aria-hidden="true" />
        </div>
      ))}
    </div>
  );
}

/** Who gets how much, in a sentence. */
export const told = (targets: readonly Target[]): string => targets.map((each) => t("gets", { revision: each.revision || t("latest"), percent: each.percent })).join(", ");

const named = (target: Target, service: string): string => `${target.revision || service}: ${target.percent} %${target.latest ? ` (${t("latest")})` : ""}`;

function reached(key: string, at: number): number | null {
  switch (key) {
    case "ArrowRight": case "ArrowUp": return at + STEP;
    case "ArrowLeft": case "ArrowDown": return at - STEP;
    case "PageUp": return at + LEAP;
    case "PageDown": return at - LEAP;
    case "Home": return 0;
    case "End": return 100;
    default: return null;
  }
}
