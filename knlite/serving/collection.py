"""Which revisions of a Configuration nobody needs any more.

Source: knative/serving ``pkg/reconciler/gc/gc.go``; Knative reference §1.12.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from knlite.kinds.config.gc import GcConfig
from knlite.kinds.labels import NO_GC, ROUTING_STATE, ROUTING_STATE_MODIFIED
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision


@dataclass(frozen=True, slots=True)
class Collected:
    """What is to be deleted, and in how many seconds there may be more (None: not by time)."""

    revisions: tuple[Revision, ...] = ()
    look_again: float | None = None


def collected(
    configuration: Configuration, owned: Sequence[Revision], config: GcConfig, now: datetime
) -> Collected:
    """Those of *owned* that are stale, the oldest first, and those that are too many."""
    least, most = config.min_non_active_revisions, config.max_non_active_revisions
    if len(owned) <= least:
        return Collected()
    latest = configuration.status.latest_ready_revision_name
    candidates = [each for each in owned if each.metadata.name != latest and _may_go(each)]
    if len(candidates) <= least:
        return Collected()
    candidates.sort(key=_last_active)
    waits = [(each, _until_stale(each, config, now)) for each in candidates]
    gone = [each for each, wait in waits if wait is not None and wait <= 0]
    gone = gone[: len(candidates) - least]
    left = len(candidates) - len(gone)
    if most is not None and left > most:
        names = {each.metadata.name for each in gone}
        kept = [each for each in candidates if each.metadata.name not in names]
        gone += kept[: left - most]
    again = [wait for _, wait in waits if wait is not None and wait > 0]
    look_again = min(again, default=None) if len(candidates) - len(gone) > least else None
    return Collected(tuple(gone), look_again)


def _may_go(revision: Revision) -> bool:
    """Whether no Route refers to *revision*, and its author lets it go."""
    meta = revision.metadata
    kept = meta.annotations.get(NO_GC, "").lower() == "true"
    return not kept and meta.labels.get(ROUTING_STATE) == "reserve"


def _until_stale(revision: Revision, config: GcConfig, now: datetime) -> float | None:
    """Seconds until both clocks have passed; None if they never do."""
    clocks = (
        (config.retain_since_create_time, _created(revision)),
        (config.retain_since_last_active_time, _last_active(revision)),
    )
    return max(
        (
            seconds - (now - since).total_seconds()
            for seconds, since in clocks
            if seconds is not None
        ),
        default=None,
    )


def _last_active(revision: Revision) -> datetime:
    text = revision.metadata.annotations.get(ROUTING_STATE_MODIFIED, "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _created(revision)
    return moment if moment.tzinfo is not None else _created(revision)


def _created(revision: Revision) -> datetime:
    return datetime.fromisoformat(revision.metadata.creation_timestamp or "1970-01-01T00:00:00Z")
