import { Badge, type Tone } from "../../ui/badge";
import type { Row } from "./model";
import { t } from "./words";

/** The status that the client saw, with the shape of what it means. */
export function Status({ row }: { row: Row }) {
  if (row.status === 0) return <Badge tone="failed" bare>{t("left")}</Badge>;
  const tone: Tone = row.status >= 500 ? "failed" : row.status >= 400 ? "starting" : row.status >= 300 || row.status < 200 ? "gone" : "ready";
  return <Badge tone={tone} bare {...(row.why ? { title: row.why } : {})}>{row.status}</Badge>;
}
