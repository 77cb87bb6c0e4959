"""Knative reference §1.12: config-gc."""

import pytest

from knlite.kinds.config.gc import KEYS, GcConfig, parse
from knlite.kinds.config.values import ConfigInvalid


def test_an_empty_section_is_the_shipped_one() -> None:
    assert parse({}) == GcConfig(
        retain_since_create_time=48 * 3600,
        retain_since_last_active_time=15 * 3600,
        min_non_active_revisions=20,
        max_non_active_revisions=1000,
    )


def test_every_rule_can_be_set_and_all_but_one_switched_off() -> None:
    data = {
        "retain-since-create-time": "5s",
        "retain-since-last-active-time": "1m30s",
        "min-non-active-revisions": "0",
        "max-non-active-revisions": "0",
    }
    assert data.keys() == KEYS
    assert parse(data) == GcConfig(
        retain_since_create_time=5,
        retain_since_last_active_time=90,
        min_non_active_revisions=0,
        max_non_active_revisions=0,
    )
    off = dict.fromkeys(KEYS - {"min-non-active-revisions"}, "Disabled")
    assert parse(off) == GcConfig(
        retain_since_create_time=None,
        retain_since_last_active_time=None,
        max_non_active_revisions=None,
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"min-non-active-revisions": "-1"}, "must be non-negative, was: -1"),
        (
            {"min-non-active-revisions": "2000"},
            r"min-non-active-revisions\(2000\) must be <= max-non-active-revisions\(1000\)",
        ),
        ({"max-non-active-revisions": "-1"}, "failed to parse max-non-active-revisions: strconv"),
        ({"retain-since-create-time": "soon"}, "failed to parse retain-since-create-time: time"),
        ({"retain-since-create-time": "-1s"}, "retain-since-create-time: must be non-negative"),
        ({"max-non-active-revisions": "9" * 20}, "value should be lower than"),
    ],
)
def test_what_is_refused(data: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigInvalid, match=text):
        parse(data)
