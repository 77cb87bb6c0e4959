import { messages } from "../../i18n";
import { texts } from "./messages";

export const t = messages(texts);
