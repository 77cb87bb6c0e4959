"""From EventTransforms and RequestReplies to the tables of those who answer for them.

Pushed whenever one of them changes, and once for a batch of changes. Not here: what is in a table
(``eventing/transforms.py``, ``eventing/requestreplies.py``).
"""

from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.eventing.authorization import decides_about_senders
from knlite.eventing.requestreplies import RequestReplies, request_replies
from knlite.eventing.transforms import Transforms, transforms
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.registry.registry import Notification, Registry


class TransformsListener(Protocol):
    """Who evaluates expressions."""

    def transforms_changed(self, plans: Transforms) -> None:
        """These are the transforms now."""
        ...


class RequestRepliesListener(Protocol):
    """Who holds requests."""

    def request_replies_changed(self, plans: RequestReplies) -> None:
        """These are the RequestReplies now."""
        ...


class EventAnswerers:
    """Watches the registry on behalf of those who answer events."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        transforming: TransformsListener,
        requests: RequestRepliesListener,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._transforming = transforming
        self._requests = requests
        self._stale: set[type] = {EventTransform, RequestReply}
        self._work = anyio.Event()

    @property
    def settled(self) -> bool:
        """Whether all that there is has been pushed."""
        return not self._stale

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Push tables until cancelled."""
        with self._registry.listening(self._note):
            task_status.started()
            while True:
                self._work = anyio.Event()
                if not self._stale:
                    await self._work.wait()
                # One turn, so that a batch of changes makes one table.
                await self._clock.sleep_until(self._clock.now())
                self._push()

    def _note(self, notification: Notification) -> None:
        kind = type(notification.obj)
        if kind is EventTransform or kind is RequestReply:
            self._stale.add(kind)
            self._work.set()
        elif kind is Broker or decides_about_senders(notification.obj):
            self._stale |= {EventTransform, RequestReply}
            self._work.set()

    def _push(self) -> None:
        stale, self._stale = self._stale, set()
        view = self._registry.view
        if EventTransform in stale:
            self._transforming.transforms_changed(transforms(view))
        if RequestReply in stale:
            self._requests.request_replies_changed(request_replies(view))
