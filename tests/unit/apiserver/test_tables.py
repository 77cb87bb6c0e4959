"""Tables (Kubernetes meta/v1; ages as ``apimachinery/pkg/util/duration`` words them)."""

from datetime import UTC, datetime, timedelta

import pytest

from knlite.apiserver.tables import age, human_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"),
        (599, "9m59s"), (600, "10m"), (10799, "179m"), (10800, "3h"), (11100, "3h5m"),
        (28799, "7h59m"), (28800, "8h"), (172799, "47h"), (172800, "2d"), (180000, "2d2h"),
        (691200, "8d"), (63072000, "2y"), (63158400, "2y1d"), (252288000, "8y"),
    ],
)  # fmt: skip
def test_ages_are_worded_as_kubectl_does(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def test_the_age_of_an_object() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert age((now - timedelta(seconds=61)).strftime("%Y-%m-%dT%H:%M:%SZ"), now) == "61s"
    assert age("", now) == "<unknown>"
    assert age("yesterday", now) == "<unknown>"
