"""``/knlite/logs/NAMESPACE/SERVICE``: what all instances of a service wrote, as lines of JSON.

Source: knlite's own; ``knlite logs`` reads it. Kubernetes knows the logs of pods alone
(``podlogs.py``), which come and go.
"""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from math import inf

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from knlite.apiserver import options
from knlite.apiserver.ending import Ending
from knlite.apiserver.logsource import LogSource
from knlite.facts import LogLine

_MEDIA_TYPE = "application/x-ndjson"


def service_log(logs: LogSource, request: Request, ending: Ending) -> Response:
    """The log that *request* asks for. Raises ``InvalidInput``."""
    namespace, service = request.path_params["namespace"], request.path_params["service"]
    count = options.number(request, "tail")
    if options.flag(request, "follow"):
        followed = _followed(logs, namespace, service, count, ending)
        return StreamingResponse(followed, media_type=_MEDIA_TYPE)
    body = "".join(map(_json_line, logs.tail(namespace, service, count)))
    return Response(body, media_type=_MEDIA_TYPE)


async def _followed(
    logs: LogSource, namespace: str, service: str, count: int | None, ending: Ending
) -> AsyncIterator[str]:
    async with aclosing(logs.follow(namespace, service, count)) as lines:
        while (line := await ending.wait(lambda: anext(lines, None), inf)) is not None:
            yield _json_line(line)


def _json_line(line: LogLine) -> str:
    value = {
        "at": line.at.isoformat(timespec="milliseconds"),
        "revision": line.revision,
        "instance": line.instance,
        "stream": line.stream,
        "text": line.text,
        "request": line.request,
    }
    return json.dumps(value, ensure_ascii=False) + "\n"
