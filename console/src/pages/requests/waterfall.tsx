import { duration } from "../../format";
import { StageBar, stageName } from "../../ui/stagebar";
import { stageClass } from "../../ui/stages";
import { ticks, type Waterfall as Told } from "./model";
import { t } from "./words";

/** Where the time of a request went: a table whose third column is drawn to scale. */
export function Waterfall({ waterfall }: { waterfall: Told }) {
  const { total, stages, notes } = waterfall;
  const axis = ticks(total, 4);
  return (
    <section class="stack">
      <h3>{t("waterfall")}</h3>
      <table class="waterfall" aria-label={t("waterfall")}>
        <thead>
          <tr>
            <th scope="col">{t("stage")}</th>
            <th scope="col" class="number">{t("takes")}</th>
            <th scope="col" class="axis">
              <span class="unseen">{t("begins")}</span>
              <span class="axis-ticks" aria-hidden="true">
                {axis.map((tick) => <span key={tick} class={tick > total * 0.9 ? "at-end" : undefined} style={{ insetInlineStart: `${(tick / (total || 1)) * 100}%` }}>{duration(tick)}</span>)}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {stages.map((stage) => (
            <tr key={stage.name}>
              <th scope="row"><span class={`stage-key ${stageClass(stage.name)}`} aria-hidden="true" />{stageName(stage.name)}</th>
              <td class="number">{duration(stage.end - stage.start)}</td>
              <td class="track">
                <span class="unseen">{duration(stage.start)}</span>
                <span class="grid-lines" aria-hidden="true">{axis.map((tick) => <i key={tick} style={{ insetInlineStart: `${(tick / (total || 1)) * 100}%` }} />)}</span>
                <StageBar stage={stage} total={total} />
                {stage.why !== "" && <span class="stage-why">{stage.why}</span>}
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr><th scope="row">{t("total")}</th><td class="number">{duration(total)}</td><td>{!waterfall.answered && <span class="quiet">{t("unanswered")}</span>}</td></tr>
        </tfoot>
      </table>
      {notes.length > 0 && (
        <div>
          <h3>{t("notes")}</h3>
          <ul class="meanwhile">
            {notes.map((note, index) => <li key={index}><span class="number quiet">+{duration(note.at)}</span> <span>{note.text}</span></li>)}
          </ul>
        </div>
      )}
    </section>
  );
}
