"""Gradual rollout: how the share of a Configuration moves to its newest revision, step by step.

The state is a value that is written into an annotation of the Ingress, so that a rollout goes on
after a restart. Times are wall-clock nanoseconds since 1970, as upstream writes them; shares are
whole percents of the Route, and those of a Configuration's revisions sum to the Configuration's.

Source: knative/serving ``pkg/reconciler/route/traffic/rollout.go``; Knative reference §5.5.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from knlite.kinds.meta import Fields
from knlite.kinds.serving.route import TrafficTarget

SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RevisionShare(Fields):
    """A revision's part of its Configuration's share."""

    revision_name: str
    percent: int


class StepParams(Fields):
    """When the rollout began, and the steps it goes in; zeros until the Ingress is ready."""

    starttime: int = 0
    next_step_time: int = 0
    step_duration: int = 0
    step_size: int = 0
    """Percents that move in one step."""


class ConfigurationRollout(Fields):
    """One Configuration under one tag; *revisions* from the oldest to the newest.

    More than one revision means that a rollout is in progress.
    """

    configuration_name: str
    tag: str = ""
    percent: int = 0
    revisions: tuple[RevisionShare, ...] = ()
    step_params: StepParams = StepParams()


class Rollout(Fields):
    """All of a Route, sorted by tag and Configuration."""

    configurations: tuple[ConfigurationRollout, ...] = ()

    @property
    def done(self) -> bool:
        """Whether no Configuration has more than one revision."""
        return all(len(each.revisions) < 2 for each in self.configurations)

    def of(self, target: TrafficTarget, tag: str) -> ConfigurationRollout | None:
        """The one that *target*, seen under *tag*, takes part in; None if it is pinned."""
        if not target.latest_revision:
            return None
        for each in self.configurations:
            if (each.tag, each.configuration_name) == (tag, target.configuration_name):
                return each
        return None


def nanoseconds(moment: datetime) -> int:
    """*moment* as the state counts time."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def goal(targets: Mapping[str, Iterable[TrafficTarget]]) -> Rollout:
    """Where all rollouts shall end: every Configuration's share with its latest revision.

    *targets* are those of each tag ("" being the Route itself), resolved and united by revision.
    """
    return _sorted(
        ConfigurationRollout(
            configuration_name=target.configuration_name,
            tag=tag,
            percent=target.percent,
            revisions=(RevisionShare(revision_name=target.revision_name, percent=target.percent),),
        )
        for tag, group in targets.items()
        for target in group
        if target.latest_revision and target.percent
    )


def written(rollout: Rollout) -> str:
    """*rollout* as JSON."""
    return msgspec.json.encode(rollout).decode()


def read(text: str) -> Rollout | None:
    """The rollout that *text* holds; None if it is none, or its numbers cannot be."""
    try:
        found = msgspec.json.decode(text, type=Rollout)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    for each in found.configurations:
        fits = 0 <= each.step_params.step_size <= each.percent <= 100
        shares = [revision.percent for revision in each.revisions]
        if not fits or min(shares, default=0) < 0 or sum(shares) != each.percent:
            return None
    return found


def observed_ready(rollout: Rollout, now: int, duration: float) -> Rollout:
    """*rollout* when the Ingress with its first percent has become ready at *now*.

    That took a while, and no step is shorter. All of it is to take *duration* seconds.
    """
    return replace(
        rollout,
        configurations=tuple(
            _planned(each, now, duration)
            if each.step_params.starttime and not each.step_params.step_duration
            else each
            for each in rollout.configurations
        ),
    )


def stepped(wanted: Rollout, before: Rollout | None, now: int) -> tuple[Rollout, int]:
    """The shares at *now* on the way from *before* to *wanted*, and when the next step is due.

    0 if no step is. Whatever is new under its tag gets its share at once.
    """
    if before is None:
        return wanted, 0
    previous = {(each.tag, each.configuration_name): each for each in before.configurations}
    found = []
    for each in wanted.configurations:
        earlier = previous.get((each.tag, each.configuration_name))
        # A share of 1 % has no smaller parts.
        moves = earlier is not None and earlier.revisions and each.percent > 1
        found.append(_stepped(each, earlier, now) if moves and earlier is not None else each)
    due = [each.step_params.next_step_time for each in found if each.step_params.next_step_time]
    return _sorted(found), min(due, default=0)


def _sorted(configurations: Iterable[ConfigurationRollout]) -> Rollout:
    ordered = sorted(configurations, key=lambda each: (each.tag, each.configuration_name))
    return Rollout(configurations=tuple(ordered))


def _planned(each: ConfigurationRollout, now: int, duration: float) -> ConfigurationRollout:
    """*each* with the steps that bring it to its end in time."""
    took = max(1.0, math.ceil((now - each.step_params.starttime) / SECOND))
    left = max(1.0, duration - took)
    percents = max(1, each.percent - 1)
    # Not rounded: three and a half steps are four, the last of them a short one.
    steps = min(max(1.0, left / took), float(percents))
    step = int(left / steps * SECOND)
    params = replace(
        each.step_params,
        step_duration=step,
        step_size=_rounded(percents / steps),
        next_step_time=now + step,
    )
    return replace(each, step_params=params)


def _stepped(
    wanted: ConfigurationRollout, before: ConfigurationRollout, now: int
) -> ConfigurationRollout:
    revisions = _adjusted(before.revisions, wanted.percent - before.percent)
    newest = wanted.revisions[0].revision_name
    if newest != revisions[-1].revision_name:
        return _begun(wanted, revisions, newest, now)
    if len(revisions) == 1:
        return wanted
    params = before.step_params
    if not params.step_size or now < params.next_step_time:
        return replace(
            wanted,
            revisions=revisions,
            step_params=replace(params, step_size=min(params.step_size, wanted.percent)),
        )
    revisions = _moved(revisions, params.step_size)
    if len(revisions) == 1:
        return wanted
    params = replace(
        params,
        next_step_time=now + params.step_duration,
        step_size=min(params.step_size, wanted.percent),
    )
    return replace(wanted, revisions=revisions, step_params=params)


def _begun(
    wanted: ConfigurationRollout, revisions: Sequence[RevisionShare], newest: str, now: int
) -> ConfigurationRollout:
    """A rollout that begins: *newest* gets 1 %, from the newest of those before it."""
    left = list(revisions)
    for index in reversed(range(len(left))):
        if left[index].percent > 0:
            left[index] = replace(left[index], percent=left[index].percent - 1)
            break
    kept = (share for share in left if share.percent)
    return replace(
        wanted,
        revisions=(*kept, RevisionShare(revision_name=newest, percent=1)),
        step_params=StepParams(starttime=now),
    )


def _adjusted(revisions: Sequence[RevisionShare], change: int) -> tuple[RevisionShare, ...]:
    """*revisions* when their sum changes: the newest gets more, the oldest lose first."""
    if change >= 0:
        newest = revisions[-1]
        return (*revisions[:-1], replace(newest, percent=newest.percent + change))
    return _taken(revisions, -change)


def _moved(revisions: Sequence[RevisionShare], size: int) -> tuple[RevisionShare, ...]:
    """*revisions* with *size* percents more for the newest, from the newest before it."""
    newest = revisions[-1]
    others = tuple(reversed(_taken(tuple(reversed(revisions[:-1])), size)))
    moved = sum(each.percent for each in revisions[:-1]) - sum(each.percent for each in others)
    return (*others, replace(newest, percent=newest.percent + moved))


def _taken(revisions: Sequence[RevisionShare], size: int) -> tuple[RevisionShare, ...]:
    """*revisions* without *size* percents, which the first lose first; the empty ones are gone."""
    left = []
    for each in revisions:
        loss = min(each.percent, size)
        size -= loss
        if each.percent > loss:
            left.append(replace(each, percent=each.percent - loss))
    return tuple(left)


def _rounded(number: float) -> int:
    """Half away from zero, as Go rounds."""
    return math.floor(number + 0.5)
