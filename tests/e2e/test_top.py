"""``knlite top`` on a real knlite: what it shows, and what its keys do."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from knlite.cli.top.app import Top
from knlite.cli.top.overlay import Details
from tests.e2e.executable import EXAMPLES, PATIENCE, ROOT, Knlite, running, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.beside]
SIZE = (80, 24)
MANIFEST = """
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default}
"""


@pytest.fixture(scope="module")
def knlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knlite]:
    folder = tmp_path_factory.mktemp("top")
    (folder / "broker.yaml").write_text(MANIFEST)
    with running(EXAMPLES / "hello-python", folder) as knlite:
        yield knlite.settled()


def rows(top: Top, name: str) -> list[str]:
    """What a table shows, line by line."""
    table = top.screen_stack[0].query_one(f"#{name}", DataTable)
    return [
        " ".join(cell.plain for cell in table.get_row_at(index)) for index in range(table.row_count)
    ]


def status(top: Top) -> str:
    return str(top.screen_stack[0].query_one("#status", Static).render())


async def until(pilot: Pilot[None], condition: Callable[[], object], what: str) -> None:
    for _ in range(int(PATIENCE / 0.1)):
        if condition():
            return
        await pilot.pause(0.1)
    pytest.fail(f"waited in vain: {what}\n{rows(pilot.app, 'upper')}")  # type: ignore[arg-type]


def send(knlite: Knlite, type_: str) -> None:
    """Send an event; nobody wants it, which the exit code says."""
    command = [sys.executable, "-m", "knlite", "send", "--type", type_, "--id", f"id-{type_}"]
    subprocess.run(
        [*command, "--admin-port", str(knlite.admin_port)],
        capture_output=True,
        cwd=ROOT,
        check=False,
    )


def watched(knlite: Knlite, look: Callable[[Top, Pilot[None]], Any]) -> None:
    """Open the screen and *look* at it."""

    async def run() -> None:
        top = Top(knlite.admin_port)
        async with top.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: rows(top, "upper"), "a service")
            await look(top, pilot)

    asyncio.run(run())


def test_a_service_is_seen_at_zero_and_starting_with_its_waterfall(knlite: Knlite) -> None:
    async def look(top: Top, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "ready default/hello-python ●" in rows(top, "upper")[0], "ready")
        await pilot.press("1", "s")
        await until(pilot, lambda: "ready" not in rows(top, "upper")[0], "at zero")
        await asyncio.to_thread(knlite.get, "hello-python.default")
        await pilot.press("2")
        await until(pilot, lambda: rows(top, "starts"), "a cold start")
        assert "default/hello-python" in rows(top, "starts")[0]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(top.screen, Details), "details")
        text = str(top.screen.query_one("#details Static", Static).render())
        assert "GET / → 200" in text
        assert "app" in text
        await pilot.press("escape", "1", "enter")
        await until(pilot, lambda: isinstance(top.screen, Details), "the service")
        text = str(top.screen.query_one("#details Static", Static).render())
        assert "http://hello-python.default.localhost" in text
        assert "cold starts: p50" in text or "thaws: p50" in text

    watched(knlite, look)


def test_an_event_is_seen_and_its_story_told(knlite: Knlite) -> None:
    async def look(top: Top, pilot: Pilot[None]) -> None:
        for name in ("lonely", "other"):
            await asyncio.to_thread(send, knlite, name)
        await pilot.press("3")
        await until(pilot, lambda: len(rows(top, "events")) == 2, "events")
        await pilot.press("slash", *"lonely", "enter")
        await until(pilot, lambda: len(rows(top, "events")) == 1, "one event")
        assert "unmatched" in rows(top, "events")[0]
        await pilot.press("3", "enter")
        await until(pilot, lambda: isinstance(top.screen, Details), "the story")
        text = str(top.screen.query_one("#details Static", Static).render())
        assert "id-lonely" in text
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(rows(top, "events")) == 2, "all events")

    watched(knlite, look)


def test_the_feed_as_lines_is_json_for_scripts(knlite: Knlite) -> None:
    command = [sys.executable, "-m", "knlite", "top", "--json", "--topic", "instances"]
    with subprocess.Popen(
        [*command, "--admin-port", str(knlite.admin_port)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        message = json.loads(process.stdout.readline())
        process.terminate()
    assert message["topic"] == "instances"
    assert message["data"]["whole"]


def test_it_says_that_its_knlite_is_gone(tmp_path: Path) -> None:
    (tmp_path / "broker.yaml").write_text(MANIFEST)

    async def run(knlite: Knlite) -> None:
        top = Top(knlite.admin_port)
        async with top.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: "admin port" in status(top), "the beginning")
            await asyncio.to_thread(knlite.stop)
            await until(pilot, lambda: "next attempt in" in status(top), "the end")

    with running(tmp_path) as knlite:
        wait_until(knlite.answers, "the API")
        asyncio.run(run(knlite))


def test_without_a_knlite_or_a_terminal_it_says_what_to_do(knlite: Knlite) -> None:
    def said(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "knlite", "top", *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stderr

    port = ["--admin-port", str(knlite.admin_port)]
    assert said(*port) == (
        2,
        "knlite: knlite top needs a terminal\n"
        "  fix:   print what it would show: knlite top --json\n",
    )
    code, why = said("--json", "--topic", "lod", *port)
    assert code == 2
    assert 'no topic is called "lod"' in why
    assert said("--json", "--admin-port", "1")[0] == 4
