"""What event logs on servers promise besides: a server may go away and come back.

``docs/adr/0033``: nothing is offered twice for that, and nothing that was kept is lost.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from knlite.errors import Unavailable
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventlog.port import Taken
from tests.contract.eventlogs import ON_SERVERS, PATIENCE, Log, Owner, Side, record, side_of
from tests.servers.server import Server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=ON_SERVERS)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    return side_of(request.param, request, tmp_path)


@pytest.fixture
def server(side: Side) -> Iterator[Server]:
    """May be stopped; runs again in the end."""
    assert side.server is not None
    assert side.server.folder
    yield side.server
    if not side.server.answers():
        side.server.start()


@pytest.fixture
async def log(side: Side) -> AsyncIterator[Log]:
    async with side.running() as log:
        yield log
        log.engine.forget(log.owner.uid)


async def taken(log: Log, *names: str) -> list[Taken]:
    """These events in the hands of the reader "a"."""
    cursor = log.open("a")
    await log.append(*names)
    return [await log.next(cursor) for _ in names]


async def refusal(log: Log) -> Unavailable:
    """How an event is refused."""
    with anyio.fail_after(PATIENCE):
        while True:
            try:
                await log.port.append(record("999"))
            except Unavailable as exc:
                return exc


async def again(log: Log) -> None:
    """Wait until events are taken again."""
    with anyio.fail_after(2 * PATIENCE):
        while True:
            try:
                return await log.append("1000")
            except Unavailable:
                await anyio.sleep(0.1)


async def test_how_it_stands_is_told(log: Log) -> None:
    log.open("a")
    told = await log.stands(ready=True)
    assert (told.kind, told.namespace, told.name) == ("Broker", "default", log.owner.name)
    await log.stands(ready=True, uid="a")
    assert log.standings[0].ready is None


async def test_a_server_that_is_lost_takes_nothing_and_everything_goes_on_when_it_is_back(
    log: Log, server: Server
) -> None:
    first, second, third = await taken(log, "1", "2", "3")
    cursor = log.open("a")
    await to_thread.run_sync(server.stop)
    refused = await refusal(log)
    assert refused.cause
    lost = await log.stands(ready=False)
    assert lost.message
    cursor.done(second.position)
    await to_thread.run_sync(server.start)
    await again(log)
    await log.stands(ready=True)
    # Those in hand are not offered again, whatever the server thinks; 999 may have been kept.
    names = [each for each in await log.names(cursor) if each != "999"]
    assert names == ["1000"]
    for each in (first, third):
        cursor.done(each.position)
    await log.append("4")
    assert await log.names(cursor) == ["4"]


async def test_what_was_kept_outlives_a_crash_of_the_server_and_is_waited_for(
    side: Side, server: Server
) -> None:
    side.owner = quick_to_keep(side.owner)
    async with side.running() as log:
        (_, second) = await taken(log, "1", "2")
        log.open("a").done(second.position)
        await to_thread.run_sync(server.kill)
        await log.stands(ready=False)
    async with side.running() as log:
        cursor = log.open("a")
        await log.stands(ready=False)
        await refusal(log)
        await to_thread.run_sync(server.start)
        await again(log)
        assert {"1", "1000"} <= set(await log.names(cursor))
        log.engine.forget(log.owner.uid)


def quick_to_keep(owner: Owner) -> Owner:
    """The same with classic queues.

    Ra, on which RabbitMQ's quorum queues are built, notes a new one on the disk when nothing has
    happened for half a second and more; one that dies before is never available again.
    """
    if not isinstance(owner.backing, RabbitmqBacking):
        return owner
    return replace(owner, backing=replace(owner.backing, queue_type="classic"))
