import { messages } from "../../i18n";
import { texts } from "./messages";

const t = messages(texts);

export default function RequestsPage() {
  return <h1>{t("title")}</h1>;
}
