from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.cli.top import details, rows
from knlite.cli.top.rows import BAR, Row
from knlite.cli.top.sight import KEPT, Sight
from tests.unit.cli.top.documents import event, instance, load, notice, service, start

WEB = ("default", "web")


def seen(
    instances: Sequence[dict[str, Any]] = (),
    revisions: Sequence[dict[str, Any]] = (),
    document: dict[str, Any] | None = None,
) -> Sight:
    sight = Sight()
    sight.take("instances", {"instances": instances})
    sight.take("load", {"revisions": revisions})
    sight.services = {WEB: document or service()}
    return sight


def texts(row: Row) -> list[str]:
    return [cell.plain for cell in row.cells]


@pytest.mark.parametrize(
    ("states", "ready", "state"),
    [
        (["ready"], "True", "● ready"),
        (["thawed"], "True", "● ready"),
        (["ready", "starting"], "True", "● ready"),
        (["starting"], "True", "◐ starting"),
        ([], "Unknown", "◐ starting"),
        (["frozen"], "True", "❄ frozen"),
        ([], "True", "○ at zero"),
        (["unready"], "True", "▲ failing"),
        (["ready"], "False", "▲ failed"),
    ],
)
def test_a_service_has_a_word_and_a_sign_for_its_state(
    states: list[str], ready: str, state: str
) -> None:
    instances = [instance(f"web-{n}", each) for n, each in enumerate(states)]
    (row,) = rows.services(seen(instances, document=service(ready)))
    assert texts(row)[:2] == [state, "default/web"]


def test_each_instance_is_a_sign_and_many_are_a_number() -> None:
    few = [instance("a", "ready", at="1"), instance("b", "starting", at="2")]
    assert rows.signs(few).plain == "●◐"
    assert rows.signs([instance(str(n)) for n in range(14)]).plain == "●●●●●●●●●● +4"


def test_the_load_of_a_service_is_that_of_all_its_revisions() -> None:
    revisions = [
        load("web-00001", concurrency=1.25, requests=10, queued=2),
        load("web-00002", concurrency=2.0, requests=30, panic=True),
    ]
    (row,) = rows.services(seen([instance()], revisions))
    assert texts(row)[3:] == ["3.2/70", "40", "2", "panic"]


def test_a_service_scaled_by_requests_per_second_says_so() -> None:
    (row,) = rows.services(seen([], [load(metric="rps", stable=12.5, target=150.0)]))
    assert texts(row)[3] == "12.5/150 rps"


def test_a_cold_start_is_a_bar_in_proportion_to_the_longest() -> None:
    sight = Sight(starts=[start(2.0), start(1.0, id="r-2", how="", instance="")])
    longest, other = rows.starts(sight)
    assert texts(longest)[2:] == ["2000 ms", "forked", "▓" * (BAR // 2) + "█" * (BAR // 2)]
    assert texts(other)[2:] == ["1000 ms", "none", "▓" * (BAR // 4) + "█" * (BAR // 4)]


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=8), st.floats(0.01, 30.0))
def test_a_bar_is_never_longer_than_its_share(parts: list[float], longest: float) -> None:
    ends = [sum(parts[: index + 1]) for index in range(len(parts))]
    whole = max(ends[-1], longest)
    stages = [
        {"name": "app", "start": begin, "end": end}
        for begin, end in zip([0.0, *ends], ends, strict=False)
    ]
    assert len(rows.bar(stages, whole).plain) == round(ends[-1] / whole * BAR)


def test_events_come_newest_first_with_what_became_of_them() -> None:
    sight = Sight()
    mixed = {"delivered": 1, "failed": 1}
    sight.take_events([event(1), event(3, "unmatched"), event(2, "failed", deliveries=mixed)])
    assert [texts(row)[1] for row in rows.events(sight)] == [
        "· unmatched",
        "✗ failed 1/2",
        "✓ delivered 2/2",
    ]


def test_only_rows_with_all_words_are_shown() -> None:
    sight = Sight()
    sight.take_events([event(1, type="order.paid"), event(2, type="order.lost")])
    assert [row.key for row in rows.chosen(rows.events(sight), "LOST order")] == ["2"]
    assert len(rows.chosen(rows.events(sight), " ")) == 2


def test_text_from_outside_moves_no_cursor_and_takes_one_line() -> None:
    sight = Sight()
    hostile = "\x1b[2Jgone\r\nSECOND [red]line[/red]\x9b1m"
    sight.take_events([event(1, type=hostile, id=hostile, sender=hostile)])
    sight.take("notices", {"items": [notice(hostile, object=hostile)], "skipped": 0})
    for row in (*rows.events(sight), *rows.notices(sight)):
        for text in texts(row):
            assert text.isprintable()
    assert "\x1b" not in details.of_notice(notice(hostile)).plain
    assert "[red]" in details.of_notice(notice(hostile)).plain


def test_the_details_of_a_service_tell_why_and_how_much() -> None:
    document = service("False", reason="RevisionFailed", message="exit status 1")
    sight = seen([instance(why="pid 7", how="forked", restarts=2)], [load(queued=3)], document)
    warm = {"count": 90, "p50": 0.0012, "p90": 0.004, "p99": 0.25}
    latency = {"warm": warm, "cold": {"count": 0}}
    text = details.of_service(WEB, sight, latency).plain
    assert "cold starts" not in text
    for words in (
        "http://web.default.localhost:8080",
        "not ready: RevisionFailed exit status 1",
        "100 % to web-00001",
        "3 queued",
        "web-1  ready (forked), started again 2 times",
        "pid 7",
        "90 requests: p50 1.2 ms, p90 4.0 ms, p99 250 ms",
    ):
        assert words in text


def test_the_details_of_a_cold_start_have_a_line_for_each_stage() -> None:
    lines = details.of_start(start(1.0)).plain.splitlines()
    create = next(line for line in lines if "create" in line)
    app = next(line for line in lines if line.strip().startswith("app"))
    assert create.index("▓") < app.index("█")
    assert create.endswith("500 ms")
    assert any("its process was forked" in line for line in lines)


def test_a_notice_stays_the_same_row_when_others_push_the_oldest_out() -> None:
    sight = Sight()
    sight.take("notices", {"items": [notice(f"n {index}") for index in range(KEPT)]})
    before = {row.key for row in rows.notices(sight)}
    sight.take("notices", {"items": [notice("one more")]})
    assert len(before & {row.key for row in rows.notices(sight)}) == KEPT - 1
