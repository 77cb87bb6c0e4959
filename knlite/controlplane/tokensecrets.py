"""Keeps the Secrets with the tokens that SinkBindings give to their subjects.

A Secret is written when its binding has an identity and its sink an audience, and again when its
token is none, or for somebody else, any more. It goes with its binding.

Differs: upstream's tokens are valid for an hour and made anew in time; these are as long-lived as
those of instances.

Source: knative/eventing ``pkg/reconciler/sinkbinding``; Eventing reference §8. Not here: how
subjects get at it (``eventing/binding.py``).
"""

from base64 import b64decode, b64encode

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.launches import TOKEN_LIFETIME
from knlite.errors import KnliteError, Unauthenticated
from knlite.eventing.binding import TOKEN_FILE
from knlite.eventing.identities import account_in, subject_of
from knlite.facts import Notice, Publish
from knlite.issuer import Issuer
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.ownership import controls, owned_by
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.registry.registry import CONTROLLER, Notification, Registry


class TokenSecrets:
    """Those of one registry."""

    def __init__(self, registry: Registry, issuer: Issuer, clock: Clock, publish: Publish) -> None:
        self._registry = registry
        self._issuer = issuer
        self._clock = clock
        self._publish = publish
        self._stale = True
        self._work = anyio.Event()

    @property
    def settled(self) -> bool:
        """Whether all Secrets are as they should be."""
        return not self._stale

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Write until cancelled."""
        with self._registry.listening(self._note):
            task_status.started()
            while True:
                self._work = anyio.Event()
                if not self._stale:
                    await self._work.wait()
                # One turn, so that a batch of changes is one.
                await self._clock.sleep_until(self._clock.now())
                self._stale = False
                for binding in self._registry.view.listed(SinkBinding, ""):
                    self._keep(binding)

    def _note(self, notification: Notification) -> None:
        if isinstance(notification.obj, SinkBinding | Secret):
            self._stale = True
            self._work.set()

    def _keep(self, binding: SinkBinding) -> None:
        status, namespace = binding.status, binding.metadata.namespace
        name, account = status.oidc_token_secret_name, account_in(status.auth)
        leaving = binding.metadata.deletion_timestamp is not None
        if not name or not account or not status.sink_audience or leaving:
            return
        found = self._registry.view.get(Secret, namespace, name)
        if found is not None and (
            not controls(binding, found)
            or self._is_good(found, subject_of(namespace, account), status.sink_audience)
        ):
            return
        token = self._issuer.issue(namespace, account, [status.sink_audience], TOKEN_LIFETIME)
        data = {TOKEN_FILE: b64encode(token.encode()).decode()}
        meta = ObjectMeta(name=name, namespace=namespace, owner_references=owned_by(binding))
        try:
            if found is None:
                self._registry.create(Secret(metadata=meta, data=data), user=CONTROLLER)
            else:
                self._registry.update(msgspec.structs.replace(found, data=data), user=CONTROLLER)
        except KnliteError as exc:
            text = f"the Secret {namespace}/{name} with a token cannot be written: {exc}"
            self._publish(Notice(at=self._clock.wall(), level="error", text=text))

    def _is_good(self, secret: Secret, subject: str, audience: str) -> bool:
        try:
            token = b64decode(secret.data.get(TOKEN_FILE, "")).decode()
            return self._issuer.subject(token, audience) == subject
        except (Unauthenticated, ValueError):
            return False
