"""Expressions in a real process: results, failures, and programs that do not come to an end."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import Process

from knlite.dataplane import jsonata, jsonata_worker
from knlite.dataplane.jsonata import Evaluated, Evaluator, Failed

EVENT = b'{"specversion":"1.0","id":"1","type":"a","source":"/s","data":{"name":"Ada"}}'

ENDLESS = '($s := "x"; $d := function($n){ $n = 0 ? $s : $d($n - 1) & $d($n - 1) }; $d(40))'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def evaluating(*expressions: str) -> AsyncIterator[Evaluator]:
    evaluator = Evaluator(expressions)
    async with anyio.create_task_group() as group:
        group.start_soon(evaluator.run)
        with anyio.fail_after(30):
            yield evaluator
        evaluator.end()


@pytest.mark.parametrize(
    ("expression", "content_type", "body"),
    [
        pytest.param(
            '{"specversion": specversion, "data": data.name & "!"}',
            "application/cloudevents+json",
            '{"specversion":"1.0","data":"Ada!"}',
            id="an event",
        ),
        pytest.param('{"a": 1}', "application/json", '{"a":1}', id="an object"),
        pytest.param("[1, 2]", "application/json", "[1,2]", id="a list"),
        pytest.param(
            '{"contenttype": "text/x", "specversion": "1.0"}',
            "text/x",
            '{"contenttype":"text/x","specversion":"1.0"}',
            id="what it says itself",
        ),
        pytest.param(
            '{"contenttype": "a/b\\r\\nX: 1"}',
            "a/b X: 1",
            '{"contenttype":"a/b\\r\\nX: 1"}',
            id="one line only",
        ),
        pytest.param('{"a": "ä\\n"}', "application/json", '{"a":"ä\\n"}', id="text"),
    ],
)
async def test_results(expression: str, content_type: str, body: str) -> None:
    async with evaluating(expression) as evaluator:
        outcome = await evaluator.evaluate(0, EVENT)
    assert outcome == Evaluated(content_type, body.encode())


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        pytest.param("data.missing", "the result is no object: it is undefined", id="undefined"),
        pytest.param("data.name", 'the result is no object: it is "Ada"', id="text"),
        pytest.param("function($x){$x}", "the result is no object", id="function"),
        pytest.param('$error("no\nway")', "no way (D3137)", id="an error of its own"),
        pytest.param('$sum(["a"])', "Argument 1 of", id="a wrong type"),
        pytest.param('{"a": 1/0}', "the expression failed: ZeroDivisionError", id="division"),
        pytest.param(
            "($f := function($n){ $f($n + 1) + 1 }; $f(1))",
            "the expression calls itself too often",
            id="recursion",
        ),
        pytest.param(
            ENDLESS,
            "the expression was stopped: it took more than 2 s",
            id="endless",
        ),
        pytest.param(
            '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", /(a+)+$/)',
            "the expression was stopped: it took more than 2 s",
            id="regular expression",
        ),
        pytest.param('{"contenttype": "текст"}', "the result's contenttype is no", id="letters"),
        pytest.param('{"a": $pad("", 2000000000)}', "the expression needs too much", id="memory"),
    ],
)
async def test_failures_cost_nobody_else_anything(expression: str, why: str) -> None:
    async with evaluating(expression, '{"fine": true}') as evaluator:
        outcome = await evaluator.evaluate(0, EVENT)
        assert isinstance(outcome, Failed)
        assert outcome.why.startswith(why)
        assert await evaluator.evaluate(1, EVENT) == Evaluated("application/json", b'{"fine":true}')


async def test_a_process_that_is_killed_is_replaced() -> None:
    others = _children()
    async with evaluating('{"n": n}', ENDLESS) as evaluator:
        assert isinstance(await evaluator.evaluate(0, b'{"n":1}'), Evaluated)
        (worker,) = _children() - others
        os.kill(worker, signal.SIGKILL)
        outcomes = [await evaluator.evaluate(0, b'{"n":2}') for _ in range(2)]
    assert outcomes[-1] == Evaluated("application/json", b'{"n":2}')


def _children() -> set[int]:
    """The processes that this one has started, but for those that have ended."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat[1]) == os.getpid() and stat[0] != "Z":
                found.add(int(entry.name))
    return found


async def test_documents_are_worked_on_in_their_turn() -> None:
    outcomes: dict[int, Evaluated | Failed] = {}
    async with evaluating('{"n": n}') as evaluator, anyio.create_task_group() as group:

        async def ask(number: int) -> None:
            outcomes[number] = await evaluator.evaluate(0, b'{"n":%d}' % number)

        for number in range(20):
            group.start_soon(ask, number)
    for number in range(20):
        assert outcomes[number] == Evaluated("application/json", b'{"n":%d}' % number)


async def test_one_who_leaves_disturbs_nobody() -> None:
    async with evaluating('{"n": n}') as evaluator:
        with anyio.move_on_after(0.001):
            await evaluator.evaluate(0, b'{"n":1}')
        assert await evaluator.evaluate(0, b'{"n":2}') == Evaluated("application/json", b'{"n":2}')


async def test_whoever_waits_when_it_ends_is_told() -> None:
    evaluator = Evaluator([ENDLESS])
    async with anyio.create_task_group() as group:
        outcomes: list[Evaluated | Failed] = []

        async def ask() -> None:
            outcomes.append(await evaluator.evaluate(0, b"{}"))

        group.start_soon(ask)
        group.start_soon(ask)
        group.start_soon(evaluator.run)
        await anyio.wait_all_tasks_blocked()
        evaluator.end()
    assert outcomes == [Failed("the transform has been changed or deleted")] * 2
    assert await evaluator.evaluate(0, b"{}") == outcomes[0]


async def test_one_that_is_ended_before_it_has_a_process_lets_nobody_wait() -> None:
    for turns in range(6):
        evaluator = Evaluator(["{}"])
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(evaluator.run)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(evaluator.evaluate, 0, b"{}")
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
                evaluator.end()


async def test_a_process_without_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonata, "IDLE", 0.05)
    started: list[Process] = []

    async def noted(*arguments: Any, **options: Any) -> Process:
        started.append(await anyio.open_process(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(jsonata, "open_process", noted)
    async with evaluating('{"n": $random()}') as evaluator:
        assert isinstance(await evaluator.evaluate(0, b"{}"), Evaluated)
        await started[0].wait()
        assert isinstance(await evaluator.evaluate(0, b"{}"), Evaluated)
    assert len(started) == 2


async def test_a_large_document_passes() -> None:
    document = b'{"a":"%b"}' % (b"x" * (8 * 1024 * 1024))
    async with evaluating('{"length": $length(a)}') as evaluator:
        outcome = await evaluator.evaluate(0, document)
    assert outcome == Evaluated("application/json", b'{"length":8388608}')
    assert len(document) <= jsonata_worker.LARGEST
