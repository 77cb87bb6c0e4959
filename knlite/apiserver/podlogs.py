"""``pods/NAME/log``: what one container of an instance wrote, as plain text.

Source: Kubernetes core/v1 PodLogOptions; ``pkg/kubelet`` (texts). The logs of an instance are there
for some time after its Pod has gone.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from knlite.apiserver import options
from knlite.apiserver.ending import Ending
from knlite.apiserver.logsource import LogSource, PodLogOptions
from knlite.apiserver.paths import Target
from knlite.errors import InvalidInput, NotFound
from knlite.facts import QUEUE_PROXY, LogLine
from knlite.kinds.core.pod import Pod, PodContainerStatus
from knlite.reconcile import Key
from knlite.registry.registry import Registry


def pod_log(
    registry: Registry,
    logs: LogSource,
    request: Request,
    target: Target,
    ending: Ending,
    wall: Callable[[], datetime],
) -> Response:
    """The log that *request* asks for. Raises ``NotFound``, ``InvalidInput``."""
    asked = _asked(request, target, wall())
    found = registry.at(Key(Pod, target.namespace, target.name))
    pod = found if isinstance(found, Pod) else None
    if pod is None and not logs.knows(target.namespace, target.name):
        raise NotFound(f'pods "{target.name}" not found')
    asked = _of_container(asked, pod)
    lines = logs.of_instance(asked)
    if lines is None:
        raise InvalidInput(
            f'previous terminated container "{asked.container}" in pod "{target.name}" not found'
        )
    if not lines and pod is not None:
        _require_started(pod, asked.container)
    if asked.follow and not asked.previous:
        followed = _followed(logs, asked, ending)
        return StreamingResponse(followed, media_type="text/plain")
    return PlainTextResponse(b"".join(_limited(asked, lines)))


def _asked(request: Request, target: Target, now: datetime) -> PodLogOptions:
    query = request.query_params
    seconds, moment = options.number(request, "sinceSeconds"), query.get("sinceTime", "")
    if seconds is not None and moment:
        raise InvalidInput("at most one of `sinceTime` or `sinceSeconds` may be specified")
    return PodLogOptions(
        namespace=target.namespace,
        instance=target.name,
        container=query.get("container", ""),
        previous=options.flag(request, "previous"),
        since=_time(moment) if moment else _ago(now, seconds),
        tail=options.number(request, "tailLines"),
        follow=options.flag(request, "follow"),
        timestamps=options.flag(request, "timestamps"),
        limit=options.number(request, "limitBytes"),
    )


def _ago(now: datetime, seconds: int | None) -> datetime | None:
    if seconds is None:
        return None
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        return None


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InvalidInput(f'sinceTime: Invalid value: "{text}": not an RFC 3339 time') from exc
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _of_container(asked: PodLogOptions, pod: Pod | None) -> PodLogOptions:
    """*asked* with a container of the pod. Raises ``InvalidInput``.

    The queue-proxy, which every pod of Knative has, is knlite itself here: what it writes are
    requests, if config-observability asks for them.
    """
    if pod is None:
        return asked
    spec = pod.spec
    names = [each.name for each in (*spec.containers, *spec.init_containers)]
    if asked.container and asked.container not in {*names, QUEUE_PROXY}:
        raise InvalidInput(f"container {asked.container} is not valid for pod {asked.instance}")
    container = asked.container or next((name for name in names if name != QUEUE_PROXY), "")
    return replace(asked, container=container)


def _require_started(pod: Pod, container: str) -> None:
    for status in pod.status.container_statuses:
        if status.name == container and _waits(status):
            reason = status.state.waiting.reason if status.state.waiting else ""
            named = f'container "{container}" in pod "{pod.metadata.name}"'
            raise InvalidInput(f"{named} is waiting to start: {reason}")


def _waits(status: PodContainerStatus) -> bool:
    never_ran = not status.restart_count and status.last_state.terminated is None
    return status.state.waiting is not None and never_ran


async def _followed(logs: LogSource, asked: PodLogOptions, ending: Ending) -> AsyncIterator[bytes]:
    left = asked.limit
    async with aclosing(logs.follow_instance(asked)) as lines:
        while (line := await ending.wait(lambda: anext(lines, None), inf)) is not None:
            text = _text(asked, line)
            yield text if left is None else text[:left]
            if left is not None:
                left -= len(text)
                if left <= 0:
                    return


def _limited(asked: PodLogOptions, lines: Sequence[LogLine]) -> Iterator[bytes]:
    left = asked.limit
    for line in lines:
        text = _text(asked, line)
        if left is None:
            yield text
            continue
        if left <= 0:
            return
        yield text[:left]
        left -= len(text)


def _text(asked: PodLogOptions, line: LogLine) -> bytes:
    if not asked.timestamps:
        return f"{line.text}\n".encode("utf-8", "replace")
    at = line.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{at}000Z {line.text}\n".encode("utf-8", "replace")
