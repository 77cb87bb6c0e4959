"""Which revisions are collected (Knative reference §1.12)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.conditions import timestamp
from knlite.kinds.config.gc import GcConfig
from knlite.kinds.labels import NO_GC, ROUTING_STATE, ROUTING_STATE_MODIFIED
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.configuration import Configuration, ConfigurationStatus
from knlite.kinds.serving.revision import Revision
from knlite.serving.collection import collected
from tests.flows.cell import STARTED

HOUR = 3600.0
CONFIG = GcConfig(min_non_active_revisions=0)
WEB = Configuration(
    metadata=ObjectMeta(name="web"),
    status=ConfigurationStatus(latest_ready_revision_name="latest"),
)


def revision(
    name: str, created: float, active: float | None = None, state: str = "reserve", **more: str
) -> Revision:
    """One that was made *created* hours ago and went out of use *active* hours ago."""
    annotations = dict(more)
    if active is not None:
        annotations[ROUTING_STATE_MODIFIED] = timestamp(STARTED - timedelta(hours=active))
    return Revision(
        metadata=ObjectMeta(
            name=name,
            labels={ROUTING_STATE: state},
            annotations=annotations,
            creation_timestamp=timestamp(STARTED - timedelta(hours=created)),
        )
    )


def gone(*revisions: Revision, config: GcConfig = CONFIG) -> list[str]:
    found = collected(WEB, revisions, config, STARTED)
    return [each.metadata.name for each in found.revisions]


@pytest.mark.parametrize(
    ("one", "goes"),
    [
        pytest.param(revision("r", 50, 20), True, id="stale"),
        pytest.param(revision("r", 50, 10), False, id="in use not long ago"),
        pytest.param(revision("r", 40, 20), False, id="made not long ago"),
        pytest.param(revision("r", 50), True, id="never in use: its creation counts"),
        pytest.param(revision("r", 50, 20, "active"), False, id="in use"),
        pytest.param(revision("r", 50, 20, "pending"), False, id="not looked at by a Route yet"),
        pytest.param(revision("r", 50, 20, **{NO_GC: "true"}), False, id="kept by its author"),
        pytest.param(revision("latest", 50, 20), False, id="latest ready"),
        pytest.param(
            revision("r", 50, None, **{ROUTING_STATE_MODIFIED: "soon"}), True, id="no time at all"
        ),
        pytest.param(
            revision("r", 50, None, **{ROUTING_STATE_MODIFIED: "2026-01-02"}), True, id="no zone"
        ),
    ],
)
def test_what_is_stale(one: Revision, goes: bool) -> None:
    assert gone(one) == (["r"] if goes else [])


def test_a_clock_that_is_off_does_not_hold_back_and_without_clocks_nothing_is_stale() -> None:
    by_use = GcConfig(retain_since_create_time=None, min_non_active_revisions=0)
    assert gone(revision("r", 1, 20), config=by_use) == ["r"]
    never = GcConfig(
        retain_since_create_time=None,
        retain_since_last_active_time=None,
        min_non_active_revisions=0,
    )
    assert gone(revision("r", 5000, 5000), config=never) == []


def test_the_oldest_go_first_and_the_least_number_stays() -> None:
    several = [revision(f"r{age}", 100, age) for age in (30, 50, 40, 20)]
    assert gone(*several, config=GcConfig(min_non_active_revisions=2)) == ["r50", "r40"]
    assert gone(*several, config=GcConfig(min_non_active_revisions=4)) == []


def test_what_is_too_many_goes_even_if_it_is_not_stale() -> None:
    several = [revision(f"r{age}", 1, age / 100) for age in (30, 50, 40)]
    most = GcConfig(min_non_active_revisions=1, max_non_active_revisions=1)
    assert gone(*several, config=most) == ["r50", "r40"]


def test_it_is_known_when_the_next_one_will_be_stale() -> None:
    found = collected(WEB, [revision("a", 50, 14), revision("b", 47, 40)], CONFIG, STARTED)
    assert (found.revisions, found.look_again) == ((), HOUR)
    kept = GcConfig(min_non_active_revisions=2)
    assert collected(WEB, [revision("a", 50, 14)], kept, STARTED).look_again is None


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=12),
    st.integers(0, 8),
    st.none() | st.integers(0, 8),
)
def test_never_fewer_stay_than_the_least_nor_more_than_the_most(
    ages: list[tuple[int, int]], least: int, most: int | None
) -> None:
    config = GcConfig(
        min_non_active_revisions=least,
        max_non_active_revisions=None if most is None else max(least, most),
    )
    revisions = [revision(f"r{n}", *age) for n, age in enumerate(ages)]
    names = gone(*revisions, config=config)
    left = len(revisions) - len(names)
    assert len(set(names)) == len(names)
    assert left >= min(least, len(revisions))
    assert config.max_non_active_revisions is None or left <= config.max_non_active_revisions
