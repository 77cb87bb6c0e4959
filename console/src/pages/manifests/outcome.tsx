import { messages } from "../../i18n";
import { Icon } from "../../ui/icon";
import type { Problem } from "../../ui/editor";
import { texts } from "./messages";
import type { Trial } from "./trial";

const t = messages(texts);
const WOULD = { created: "wouldCreated", configured: "wouldConfigured", unchanged: "wouldUnchanged" } as const;

/** What would become of the text: what is wrong, line by line, or what would change. */
export function Outcome({ trial, onLine }: { trial: Trial; onLine: (line: number) => void }) {
  if (trial.state === "idle") return <div class="outcome" aria-live="polite" />;
  const errors = trial.problems.filter((problem) => problem.level === "error");
  return (
    <div class={`outcome ${errors.length ? "bad" : ""}`} aria-live="polite">
      {trial.state === "trying" && !trial.result && trial.problems.length === 0 && <p class="quiet">{t("trying")}</p>}
      {errors.length > 0 && <p class="outcome-head"><Icon name="warning" size={14} />{t("problems", { n: errors.length })}</p>}
      {trial.problems.length > 0 && <ul>{trial.problems.map((problem, index) => <Line key={index} problem={problem} onLine={onLine} />)}</ul>}
      {errors.length === 0 && trial.result && (
        <ul>
          {trial.result.documents.map((document) => (
            <li key={`${document.line}`} class="good">
              <Icon name={document.action === "created" ? "plus" : document.action === "configured" ? "edit" : "check"} size={14} />
              <span>{t(WOULD[document.action], { kind: document.kind, name: document.namespace && document.namespace !== "default" ? `${document.namespace}/${document.name}` : document.name })}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Line({ problem, onLine }: { problem: Problem; onLine: (line: number) => void }) {
  return (
    <li class={problem.level}>
      <button type="button" onClick={() => onLine(problem.line)}>{t("line", { line: problem.line })}</button>
      <span>{problem.message}</span>
    </li>
  );
}
