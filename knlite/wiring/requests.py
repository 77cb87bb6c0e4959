"""What the console shows of requests and logs, and those who take note of them."""

from contextlib import AsyncExitStack
from functools import partial

from starlette.routing import BaseRoute

from knlite.apiserver.ending import Ending
from knlite.console.logs import LogRoutes
from knlite.console.requests import RequestRoutes
from knlite.facts import LogLine, RequestDone
from knlite.telemetry.bus import Bus
from knlite.telemetry.live.hub import Hub
from knlite.telemetry.live.newest import Newest
from knlite.telemetry.logs import Logs
from knlite.telemetry.logstream import LogStream
from knlite.telemetry.metrics import Metrics
from knlite.telemetry.recentrequests import READ, RecentRequests
from knlite.wiring.basics import Basics


def show_requests(
    basics: Basics,
    bus: Bus,
    held: AsyncExitStack,
    live: Hub,
    ending: Ending,
    *,
    metrics: Metrics,
    logs: Logs,
) -> list[BaseRoute]:
    """Keep requests until *held* ends, and tell *live* of them and of lines."""
    recent = RecentRequests()
    held.enter_context(bus.reading(recent.read, RequestDone))
    held.enter_context(bus.reading(recent.note, *READ))
    requests = Newest(live, "requests", recent.newest)
    live.while_watched("requests", partial(requests.counting, bus, RequestDone))
    stream = LogStream(logs, basics.clock, lambda reader: bus.reading(reader, LogLine))
    lines = Newest(live, "logs", stream.newest)
    live.while_watched("logs", partial(lines.counting, bus, LogLine))
    return [
        *RequestRoutes(recent, metrics.requests, stream).routes(),
        *LogRoutes(stream, ending).routes(),
    ]
