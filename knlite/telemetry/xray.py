"""Why an event went where it went: facts in, its story out.

For every egress (a Trigger, a Subscription) that its resource had when the event arrived there is
one row: whether it was wanted, what in the filter decided, and each attempt to deliver it. Verdicts
are worked out here, by the filters that were in force then (ADR 0023).

Not here: what a story consists of (``stories.py``), where facts are kept (``eventlog/history.py``),
who asks (``eventrecords.py``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from knlite.eventing import jsonformat
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.build import filter_from
from knlite.eventing.filters.filter import Filter, Verdict
from knlite.eventlog.history import BY_HAND, KEPT_ATTEMPTS, Happened
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted
from knlite.telemetry.stories import Attempt, Place, Row, State, Story, Summary

OPEN: frozenset[State] = frozenset(("delivering", "waiting"))
_WORST_FIRST: tuple[State, ...] = (
    "delivering", "waiting", "failed", "dead-lettered", "cut off", "gone", "delivered", "unmatched",
)  # fmt: skip


def event_of(fact: EventAccepted) -> CloudEvent:
    """The event as filters have seen it."""
    return CloudEvent(fact.attributes, fact.content_type, fact.data)


def states(happened: Happened, present: frozenset[str]) -> dict[str, State]:
    """The state at each egress that is to get the event; *present* are those that exist now."""
    last: dict[str, DeliveryAttempted] = {}
    for fact in happened.attempts:
        if fact.egress_kind != BY_HAND:
            last[fact.egress_uid] = fact
    found: dict[str, State] = {}
    for uid in dict.fromkeys((*happened.accepted.readers, *last)):
        latest = last.get(uid)
        if latest is not None and latest.ended:
            found[uid] = _ending(latest)
        elif uid in happened.pending and uid in present:
            # Dead letters wait too, in their queue, but not for a subscriber.
            waits = latest is not None and (latest.outcome, latest.leg) == ("waiting", "subscriber")
            found[uid] = "waiting" if waits else "delivering"
        else:
            found[uid] = "cut off" if uid in present else "gone"
    return found


def overall(found: Iterable[State]) -> State:
    """The state of an event, of those at its egresses: what still goes on, else the worst."""
    there = set(found)
    return next((state for state in _WORST_FIRST if state in there), "unmatched")


def _state(fact: EventAccepted, found: Mapping[str, State]) -> State:
    """A KafkaSink has nobody to give it to: what it has taken is where it was to go."""
    return "delivered" if fact.kind == _SINK else overall(found.values())


def summary(happened: Happened, present: frozenset[str]) -> Summary:
    """*happened* as a list shows it."""
    fact, found = happened.accepted, states(happened, present)
    return Summary(
        arrival=fact.arrival,
        at=fact.at,
        id=fact.attributes.get("id", ""),
        source=fact.attributes.get("source", ""),
        type=fact.attributes.get("type", ""),
        subject=fact.attributes.get("subject", ""),
        to=Place(fact.kind, fact.namespace, fact.name),
        sender=fact.sender,
        state=_state(fact, found),
        deliveries=dict(Counter(found.values())),
        replay_of=fact.replay_of,
        size=happened.size,
    )


def story(
    happened: Happened,
    egresses: Sequence[EgressChanged],
    present: frozenset[str],
    replays: Sequence[int] = (),
) -> Story:
    """The whole story; *egresses* are those that there were when it arrived."""
    fact, found = happened.accepted, states(happened, present)
    by_uid: dict[str, list[DeliveryAttempted]] = {}
    for each in happened.attempts:
        by_uid.setdefault(each.egress_uid, []).append(each)
    rows = [_row(fact, egress, found, by_uid.pop(egress.egress_uid, [])) for egress in egresses]
    rows += [_unlisted(uid, attempts, found) for uid, attempts in by_uid.items()]
    return Story(
        arrival=fact.arrival,
        at=fact.at,
        sender=fact.sender,
        to=Place(fact.kind, fact.namespace, fact.name),
        engine=fact.engine,
        ttl=fact.ttl,
        state=_state(fact, found),
        why=_in_words(fact, len(egresses), found),
        event=msgspec.Raw(jsonformat.encode(event_of(fact))),
        headers=dict(fact.headers),
        replay_of=fact.replay_of,
        replays=tuple(replays),
        rows=tuple(rows),
    )


def foretold(event: CloudEvent, egresses: Sequence[EgressChanged]) -> tuple[Row, ...]:
    """Who would get *event*, and why, without sending it."""
    rows = []
    for egress in egresses:
        verdict = verdict_of(egress, event)
        rows.append(_blank(egress, verdict, "delivering" if verdict.matched else "unmatched"))
    return tuple(rows)


def verdict_of(egress: EgressChanged, event: CloudEvent) -> Verdict:
    """What the filter of *egress* says of *event*."""
    return _filter(egress.filter_spec).judge(event)


def _written(text: str) -> msgspec.Raw:
    """*text*, unless another knlite has written something else there."""
    try:
        msgspec.json.decode(text or "{}")
    except msgspec.MsgspecError:
        return msgspec.Raw(b"{}")
    return msgspec.Raw((text or "{}").encode())


class _Unreadable:
    """Stands for a filter that another knlite has written."""

    def passes(self, event: CloudEvent) -> bool:
        return False

    def judge(self, event: CloudEvent) -> Verdict:
        return Verdict(False, "its filter cannot be read by this knlite")


@lru_cache(maxsize=2048)
def _filter(text: str) -> Filter:
    try:
        document: Mapping[str, object] = msgspec.json.decode(text or "{}")
        return filter_from(document)
    except msgspec.MsgspecError:
        return _Unreadable()


def _ending(fact: DeliveryAttempted) -> State:
    match fact.outcome:
        case "delivered" | "dead-lettered" as outcome:
            return outcome
        case _:
            return "failed"


def _row(
    fact: EventAccepted,
    egress: EgressChanged,
    found: Mapping[str, State],
    attempts: Sequence[DeliveryAttempted],
) -> Row:
    state = found.get(egress.egress_uid)
    verdict = _decided(fact, egress, wanted=state is not None)
    return _blank(egress, verdict, state or "unmatched", attempts)


def _decided(fact: EventAccepted, egress: EgressChanged, *, wanted: bool) -> Verdict:
    """The verdict as it was; *wanted* says how it came out."""
    if fact.only:
        if wanted:
            return Verdict(True, "it was sent again for this one, whatever its filter says")
        return Verdict(False, "it was sent again for another one only")
    verdict = verdict_of(egress, event_of(fact))
    if verdict.matched == wanted:
        return verdict
    return Verdict(wanted, "its filter was being changed when the event arrived")


def _blank(
    egress: EgressChanged,
    verdict: Verdict,
    state: State,
    attempts: Sequence[DeliveryAttempted] = (),
) -> Row:
    return Row(
        kind=egress.egress_kind,
        namespace=egress.egress_namespace,
        name=egress.egress_name,
        uid=egress.egress_uid,
        matched=verdict.matched,
        why=verdict.why,
        path=verdict.path,
        parts=verdict.parts,
        filter=_written(egress.filter_spec),
        state=state,
        attempts=tuple(map(_attempt, attempts)),
        left_out=_left_out(attempts),
    )


def _unlisted(uid: str, attempts: Sequence[DeliveryAttempted], found: Mapping[str, State]) -> Row:
    """The row of an egress whose filter is not kept: somebody by hand, or one long gone."""
    first = attempts[0]
    by_hand = first.egress_kind == BY_HAND
    return Row(
        kind=first.egress_kind,
        namespace=first.egress_namespace,
        name=first.egress_name,
        uid=uid,
        matched=True,
        why="it was sent there by hand" if by_hand else "its filter is not kept any more",
        path="",
        state=_ending(attempts[-1]) if by_hand else found[uid],
        attempts=tuple(map(_attempt, attempts)),
        left_out=_left_out(attempts),
    )


def _attempt(fact: DeliveryAttempted) -> Attempt:
    return Attempt(
        at=fact.at,
        leg=fact.leg,
        target=fact.target,
        attempt=fact.attempt,
        status=fact.status,
        outcome=fact.outcome,
        why=fact.why,
        seconds=fact.seconds,
        instance=fact.instance,
        next_in=fact.next_in,
        again=fact.again,
        answer=fact.body.decode(errors="replace"),
        entered=fact.entered,
    )


def _left_out(attempts: Sequence[DeliveryAttempted]) -> int:
    if len(attempts) <= KEPT_ATTEMPTS:
        return 0
    last, before = attempts[-1], attempts[-2]
    return max(0, last.attempt - before.attempt - 1) if last.leg == before.leg else 0


_WORDS: dict[State, str] = {
    "delivered": "received it",
    "failed": "did not get it",
    "dead-lettered": "did not get it: it went to the dead letter sink",
    "delivering": "is being given it",
    "waiting": "will get it when its subscriber exists",
    "gone": "was deleted before it got it",
    "cut off": "may not have got it: the run ended before that was known",
}


_SINK = "KafkaSink"
_NOUNS = {"Broker": "trigger", "KafkaSource": "sink", "RabbitmqSource": "sink"}


def _in_words(fact: EventAccepted, count: int, found: Mapping[str, State]) -> str:
    if fact.kind == _SINK:
        return "it is in the topic"
    noun = _NOUNS.get(fact.kind, "subscription")
    if not found:
        if fact.only:
            return f"the {noun} that it was sent again for is not there"
        there = f"none of its {count} {noun}s wanted it" if count > 1 else f"no {noun} wanted it"
        return there if count else f"the {fact.kind} had no {noun}"
    totals = Counter(found.values())
    parts = [f"{totals[state]} {_WORDS[state]}" for state in _WORST_FIRST if totals[state]]
    return f"{len(found)} of {max(count, len(found))} {noun}s wanted it: " + ", ".join(parts)
