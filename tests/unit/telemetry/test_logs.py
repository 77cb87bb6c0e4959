"""Kept log lines: bounded, followed, and on disk with a data directory."""

from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from knlite.apiserver.logsource import PodLogOptions
from knlite.facts import Fact, LogLine, Notice
from knlite.telemetry import logs as of_logs
from knlite.telemetry.logs import KEPT_LINES, Logs

pytestmark = pytest.mark.anyio


def line(text: str, service: str = "web", container: str = "") -> LogLine:
    return LogLine(
        container=container,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        namespace="default",
        service=service,
        revision=f"{service}-00001",
        instance=f"{service}-00001-x",
        stream="stdout",
        text=text,
    )


def texts(lines: list[LogLine]) -> list[str]:
    return [each.text for each in lines]


def test_the_last_lines_of_a_service_are_kept() -> None:
    logs = Logs()
    for number in range(KEPT_LINES + 5):
        logs.read(line(str(number)))
    logs.read(line("other", "api"))
    assert len(logs.tail("default", "web")) == KEPT_LINES
    assert texts(logs.tail("default", "web", 2)) == [str(KEPT_LINES + 3), str(KEPT_LINES + 4)]
    assert logs.tail("default", "web", 0) == []
    assert texts(logs.tail("default", "api")) == ["other"]


@pytest.mark.parametrize(
    ("container", "expected"),
    [("user-container", ["of the only one"]), ("queue-proxy", ["a request"])],
)
def test_requests_are_what_the_queue_proxy_writes(container: str, expected: list[str]) -> None:
    """Knative reference §6.3."""
    logs = Logs()
    logs.read(line("of the only one"))
    logs.read(line("a request", container="queue-proxy"))
    asked = PodLogOptions(namespace="default", instance="web-00001-x", container=container)
    assert texts(logs.of_instance(asked) or []) == expected


async def test_a_follower_gets_the_tail_and_then_what_follows() -> None:
    logs = Logs()
    logs.read(line("before"))
    seen: list[str] = []
    async with anyio.create_task_group() as group:

        async def follow() -> None:
            lines = logs.follow("default", "web", 1)
            seen.extend([each.text async for each in lines])

        group.start_soon(follow)
        await anyio.wait_all_tasks_blocked()
        logs.read(line("after"))
        logs.read(line("not mine", "api"))
        await anyio.wait_all_tasks_blocked()
        logs.close()
    assert seen == ["before", "after"]


def test_of_all_services_those_that_wrote_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_logs, "KEPT_ALTOGETHER", 2 * KEPT_LINES)
    logs = Logs()
    services = [f"s{number}" for number in range(3)]
    for service in services:
        for _ in range(KEPT_LINES):
            logs.read(line("x", service))
    kept = [len(logs.tail("default", service)) for service in services]
    assert kept == [0, *([KEPT_LINES] * (len(services) - 1))]


def test_a_folder_that_fails_is_given_up_with_a_word(tmp_path: Path) -> None:
    told: list[Fact] = []
    (tmp_path / "default").write_text("a file where the folder would be")
    logs = Logs(tmp_path, told.append)
    for text in ("one", "two"):
        logs.read(line(text))
    assert texts(logs.tail("default", "web")) == ["one", "two"]
    (notice,) = told
    assert isinstance(notice, Notice)
    assert f"as {tmp_path} fails" in notice.text


def test_with_a_folder_the_lines_are_also_in_a_file(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.read(line("hello"))
    logs.close()
    written = (tmp_path / "default" / "web.log").read_text()
    assert written == "2026-01-02T00:00:00.000+00:00 web-00001-x stdout hello\n"
