/** One line in full, and the ways from it. */
import { href } from "../../router";
import { Badge, type Tone } from "../../ui/badge";
import { ButtonLink } from "../../ui/button";
import { Code, pretty } from "../../ui/code";
import { Drawer } from "../../ui/dialog";
import { Time } from "../../ui/time";
import { plain } from "./ansi";
import type { Level, Line } from "./lines";
import { t } from "./words";

export const TONES: Record<Level, Tone> = { error: "failed", warning: "starting", info: "accent", debug: "gone" };

export function OneLine({ line, group, onClose }: { line: Line; group: readonly Line[]; onClose: () => void }) {
  const { row } = line;
  const text = group.map((each) => plain(each.row.text)).join("\n");
  const shown = pretty(text);
  return (
    <Drawer title={t("line")} onClose={onClose}>
      <div class="row">
        <span title={t("guessed")}><Badge tone={TONES[row.level]}>{t(row.level)}</Badge></span>
        <span class="quiet"><Time at={row.at} show="clock" /> · <Time at={row.at} /></span>
      </div>
      <Code text={shown.text} as={shown.as} label={t("whole")} />
      <dl class="log-facts">
        <dt>{t("service")}</dt><dd><a href={href("services", [row.namespace, row.service])}>{row.namespace}/{row.service}</a></dd>
        <dt>{t("pod")}</dt><dd class="mono">{row.instance}</dd>
        {row.container && <><dt>{t("container")}</dt><dd class="mono">{row.container}</dd></>}
        <dt>{t("stream")}</dt><dd class="mono">{row.stream}</dd>
        {row.request && <><dt>{t("request")}</dt><dd class="mono"><a href={href("requests", [row.request])}>{row.request}</a></dd></>}
      </dl>
      <div class="row">
        {row.request && <ButtonLink icon="logs" href={href("logs", [], { request: row.request })}>{t("ofRequest")}</ButtonLink>}
        <ButtonLink icon="filter" href={href("logs", [], { instance: row.instance })}>{t("only")}</ButtonLink>
        <ButtonLink icon="clock" href={href("logs", [], { instance: row.instance, moment: row.at })}>{t("around")}</ButtonLink>
      </div>
    </Drawer>
  );
}
