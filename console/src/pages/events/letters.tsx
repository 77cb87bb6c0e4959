import { useEffect, useState } from "preact/hooks";

import { get } from "../../api";
import { messages } from "../../i18n";
import { subscribe } from "../../live";
import { go, route } from "../../router";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Empty, Trouble } from "../../ui/empty";
import { Table, type Column } from "../../ui/table";
import { Time } from "../../ui/time";
import { foreseen, redrive, redriveAll } from "./actions";
import { texts } from "./messages";
import type { Params } from "./search";
import { SearchBar } from "./searchbar";
import { StateBadge } from "./statebadge";
import { named, shortened, type DeadLetter, type Sent } from "./types";

const t = messages(texts);
const LIMIT = "1000";
/** Milliseconds from a change to the question how it stands. */
const PAUSE = 500;

interface LettersProps {
  typed: string;
  asked: Params;
  arrival: number;
  onType: (next: string) => void;
}

/** Deliveries that were not taken, and what can be done about them. */
export function Letters({ typed, asked, arrival, onType }: LettersProps) {
  const { letters, error, again } = useLetters(asked);
  const [sending, setSending] = useState<readonly Sent[] | null>(null);
  const [trouble, setTrouble] = useState<unknown>(null);
  const askAll = async (): Promise<void> => {
    try {
      setSending(await foreseen({ ...asked, limit: LIMIT }));
      setTrouble(null);
    } catch (wrong) {
      setTrouble(wrong);
    }
  };
  return (
    <>
      <SearchBar typed={typed} onType={onType} states={["dead-lettered", "failed"]}>
        <Button icon="refresh" disabled={!letters?.length} onClick={() => void askAll()}>{t("redriveAll")}</Button>
      </SearchBar>
      {(error ?? trouble) !== null && <Trouble error={error ?? trouble} retry={again} />}
      <div class="events-list">
        <Table
          label={t("deadLetters")}
          columns={columns()}
          rows={letters ?? []}
          rowKey={(letter) => `${letter.arrival}/${letter.uid}`}
          onOpen={(letter) => go("events", [String(letter.arrival)], route.value.query)}
          selected={letters?.filter((letter) => letter.arrival === arrival).map((letter) => `${letter.arrival}/${letter.uid}`)[0]}
          empty={letters && <Empty icon="check" title={t("noLetters")}><p>{t("noLettersHow")}</p></Empty>}
        />
      </div>
      {sending && <All sent={sending} asked={asked} onDone={() => setSending(null)} />}
    </>
  );
}

/** Says what would be sent again, then does it. */
function All({ sent, asked, onDone }: { sent: readonly Sent[]; asked: Params; onDone: () => void }) {
  const [busy, set] = useState(false);
  const out = sent.filter((each) => each.why !== "");
  const count = sent.length - out.length;
  const yes = async (): Promise<void> => {
    set(true);
    await redriveAll({ ...asked, limit: LIMIT });
    onDone();
  };
  if (count === 0) return <Confirm title={t("redriveAll")} yes={t("close")} no={t("cancel")} onYes={onDone} onNo={onDone}><p>{t("redriveNone")}</p><LeftOut sent={out} /></Confirm>;
  return (
    <Confirm title={t("redriveAll")} yes={t("redrive")} no={t("cancel")} busy={busy} onYes={() => void yes()} onNo={onDone}>
      <p>{t("redriveCount", { n: count })}</p>
      <LeftOut sent={out} />
    </Confirm>
  );
}

function LeftOut({ sent }: { sent: readonly Sent[] }) {
  const first = sent[0];
  return first ? <p class="quiet">{t("redriveSkipped", { n: sent.length, why: first.why })}</p> : null;
}

const columns = (): Column<DeadLetter>[] => [
  { key: "at", title: t("given"), width: "112px", hide: "narrow", render: (letter) => <Time at={letter.at} show="clock" /> },
  { key: "state", title: t("state"), width: "132px", render: (letter) => <StateBadge state={letter.state} /> },
  { key: "type", title: t("type"), render: (letter) => <strong class="events-type">{letter.type}</strong> },
  { key: "egress", title: t("trigger"), width: "13%", hide: "narrow", render: (letter) => <span title={letter.egress.kind}>{named(letter.egress)}</span> },
  { key: "why", title: t("reason"), width: "17%", hide: "narrow", render: (letter) => <span title={letter.why}>{letter.status > 0 && `${letter.status} `}{letter.why}</span> },
  { key: "sink", title: t("sink"), width: "13%", hide: "medium", render: (letter) => <span class={letter.sink ? "" : "quiet"} title={letter.sink}>{letter.sink ? shortened(letter.sink) : t("lost")}</span> },
  { key: "tries", title: t("tries"), width: "56px", hide: "narrow", number: true, render: (letter) => letter.attempts },
  { key: "do", title: t("redrive"), bare: true, width: "168px", hide: "narrow", render: (letter) => <Again letter={letter} /> },
];

function Again({ letter }: { letter: DeadLetter }) {
  const [busy, set] = useState(false);
  if (letter.againState !== null) return <span class="quiet">{t("repeated", { state: t(`state.${letter.againState}`) })}</span>;
  const send = async (): Promise<void> => {
    set(true);
    await redrive(letter.arrival, named(letter.egress));
    set(false);
  };
  return <Button kind="quiet" icon="refresh" busy={busy} title={t("redriveWhy")} onClick={() => void send()}>{t("redrive")}</Button>;
}

function useLetters(asked: Params): { letters: readonly DeadLetter[] | null; error: unknown; again: () => void } {
  const [found, set] = useState<{ letters: readonly DeadLetter[] | null; error: unknown }>({ letters: null, error: null });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(asked);
  useEffect(() => {
    const aborting = new AbortController();
    let timer = 0;
    const load = async (): Promise<void> => {
      timer = 0;
      try {
        const search = new URLSearchParams({ ...asked, limit: LIMIT });
        const { deadLetters } = await get<{ deadLetters: DeadLetter[] }>(`/knlite/dead-letters?${search.toString()}`, aborting.signal);
        set({ letters: deadLetters.sort((one, other) => other.at.localeCompare(one.at)), error: null });
      } catch (error) {
        if (!aborting.signal.aborted) set((before) => ({ ...before, error }));
      }
    };
    void load();
    const stop = subscribe("events", () => (timer ||= window.setTimeout(() => void load(), PAUSE)));
    return () => {
      aborting.abort();
      clearTimeout(timer);
      stop();
    };
  }, [key, turn]);
  return { ...found, again: () => setTurn((before) => before + 1) };
}
