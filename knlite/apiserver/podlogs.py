"""``pods/NAME/log``: what one container of an instance wrote, as plain text.

Source: Kubernetes core/v1 PodLogOptions; ``pkg/kubelet`` (texts). The logs of an instance are there
for some time after its Pod has gone.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from knlite.apiserver import options
from knlite.apiserver.paths import Target
from knlite.apiserver.watching import Ending
from knlite.errors import InvalidInput, NotFound
from knlite.facts import QUEUE_PROXY
from knlite.kinds.core.pod import Pod, PodContainerStatus
from knlite.reconcile import Key
from knlite.registry.registry import Registry


class Line(Protocol):
    """One line that an instance wrote."""

    @property
    def at(self) -> datetime: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines of which container are asked for, and how they are to be written."""

    namespace: str
    instance: str
    container: str = ""
    previous: bool = False
    since: datetime | None = None
    tail: int | None = None
    follow: bool = False
    timestamps: bool = False
    limit: int | None = None


class PodLogSource(Protocol):
    """Where the logs of instances come from."""

    def knows(self, namespace: str, instance: str) -> bool:
        """Whether there is, or was lately, an instance of that name."""
        ...

    def of_instance(self, wanted: Any) -> Sequence[Any] | None:
        """Its lines; None if there was no such start of it."""
        ...

    def follow_instance(self, wanted: Any) -> AsyncIterator[Any]:
        """Its lines, then new ones until it is gone."""
        ...


def pod_log(
    registry: Registry,
    logs: PodLogSource,
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


def _asked(request: Request, target: Target, now: datetime) -> Asked:
    query = request.query_params
    seconds, moment = options.number(request, "sinceSeconds"), query.get("sinceTime", "")
    if seconds is not None and moment:
        raise InvalidInput("at most one of `sinceTime` or `sinceSeconds` may be specified")
    return Asked(
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


def _of_container(asked: Asked, pod: Pod | None) -> Asked:
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


async def _followed(logs: PodLogSource, asked: Asked, ending: Ending) -> AsyncIterator[bytes]:
    left = asked.limit
    lines = logs.follow_instance(asked)
    try:
        while (line := await ending.wait(lambda: anext(lines, None), float("inf"))) is not None:
            text = _text(asked, line)
            yield text if left is None else text[:left]
            if left is not None:
                left -= len(text)
                if left <= 0:
                    return
    finally:
        await lines.aclose()  # type: ignore[attr-defined]  # it is a generator


def _limited(asked: Asked, lines: Sequence[Line]) -> Iterator[bytes]:
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


def _text(asked: Asked, line: Line) -> bytes:
    if not asked.timestamps:
        return f"{line.text}\n".encode("utf-8", "replace")
    at = line.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{at}000Z {line.text}\n".encode("utf-8", "replace")
