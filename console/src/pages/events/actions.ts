/** What a person can do about events that came. */
import { ApiError, post } from "../../api";
import { messages } from "../../i18n";
import { toast } from "../../ui/toast";
import { texts } from "./messages";
import type { Sent } from "./types";

const t = messages(texts);

const asked = (path: string, parameters: Record<string, string>): Promise<{ sent: Sent[] }> =>
  post<{ sent: Sent[] }>(`${path}?${new URLSearchParams(parameters).toString()}`);

/** To all who want it now, or to one trigger (NAMESPACE/NAME) alone. */
export const replay = (arrival: number, trigger = ""): Promise<Sent[]> =>
  done(asked("/knlite/replay", { arrival: String(arrival), ...(trigger ? { trigger } : {}) }));

/** To those who did not take it, or to one of them. */
export const redrive = (arrival: number, trigger = ""): Promise<Sent[]> =>
  done(asked("/knlite/dead-letters/redrive", { arrival: String(arrival), ...(trigger ? { trigger } : {}) }));

export const redriveAll = (parameters: Record<string, string>): Promise<Sent[]> => done(asked("/knlite/dead-letters/redrive", parameters));

/** What `redriveAll` would do. */
export const foreseen = async (parameters: Record<string, string>): Promise<Sent[]> =>
  (await asked("/knlite/dead-letters/redrive", { ...parameters, dryRun: "true" })).sent;

/** Says what came of it. */
async function done(sending: Promise<{ sent: Sent[] }>): Promise<Sent[]> {
  try {
    const { sent } = await sending;
    const taken = sent.filter((each) => each.arrival > 0);
    if (taken.length) toast(t("sentAgain", { n: taken.length, id: taken[0]?.id ?? "" }), "good");
    const left = sent.find((each) => each.arrival === 0);
    if (left) toast(t("notSent", { why: left.why }), "warning");
    return taken;
  } catch (error) {
    toast(t("notSent", { why: error instanceof ApiError ? error.message : String(error) }), "warning");
    return [];
  }
}
