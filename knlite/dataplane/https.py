"""The gateway's port for HTTPS, which is open only while there is a certificate.

Which certificate a client gets follows from the name it asks for (SNI). A name that there is no
certificate for is refused (``unrecognized_name``), as is a client that names none; with a single
certificate both get that one, since nothing is ambiguous then, and clients that come by an address
or by ``localhost`` name no host that could be mapped. It is they who check whether it will do.

Source: RFC 6066 §3; Knative reference §5.6; ``docs/adr/0021``.
Not here: handshakes (``wire/tls_server.py``), what is served (``gateway.py``).
"""

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.dataplane.certificates import Proof, Unfit, examined, server_context
from knlite.dataplane.wire.exchange import Handler
from knlite.dataplane.wire.limits import Limits
from knlite.dataplane.wire.tls_server import serve_tls
from knlite.errors import Conflict
from knlite.facts import CertificateDoubted, Notice, Publish
from knlite.serving.certificates import PORT_UNAVAILABLE, Certificate, Unusable, failed

CLOSING = 1.0
"""Seconds that running answers get when the port closes."""


class Judged(Protocol):
    """Who wants to know whether certificates can be used."""

    def certificates_judged(self, judged: Mapping[Certificate, Unusable | None]) -> None:
        """Each of the certificates now is presented (None), or why it is not."""
        ...


class Https:
    """Answers by *handler* whoever comes to the sockets that *listen* opens.

    *listen* raises ``Conflict`` when somebody else has the port.
    """

    def __init__(
        self,
        handler: Handler,
        listen: Callable[[], Sequence[socket.socket]],
        judged: Judged,
        clock: Clock,
        publish: Publish,
        limits: Limits | None = None,
    ) -> None:
        self._handler = handler
        self._listen = listen
        self._judged = judged
        self._clock = clock
        self._publish = publish
        self._limits = limits or Limits()
        self._wanted: tuple[Certificate, ...] = ()
        self._changed = anyio.Event()
        self._known: dict[Certificate, Proof | Unfit] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}
        """By host in lower case; swapped whole."""
        self._context = self._asking()
        """What handshakes begin with. A new one for other certificates, since it keeps sessions."""
        self._open: CancelScope | None = None

    def certificates_changed(self, certificates: tuple[Certificate, ...]) -> None:
        """These are the certificates now, one for each host."""
        self._wanted = certificates
        self._changed.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Open and close the port as certificates come and go, until cancelled."""
        async with anyio.create_task_group() as group:
            task_status.started()
            while True:
                await self._changed.wait()
                self._changed = anyio.Event()
                await self._take_over(group)

    async def _take_over(self, group: TaskGroup) -> None:
        wanted, known = self._wanted, self._known
        found: dict[Certificate, Proof | Unfit] = {}
        for each in wanted:
            # Some ten milliseconds of arithmetic, which requests should not wait for.
            before = known.get(each)
            if before is None:
                before = await anyio.to_thread.run_sync(_looked_at, each)
            found[each] = before
        self._known = found
        proofs = {each: proof for each, proof in found.items() if isinstance(proof, Proof)}
        self._contexts = {each.host: proof.context for each, proof in proofs.items()}
        self._context = self._asking()
        for each, proof in proofs.items():
            if proof.doubt and each not in known:
                self._tell(each, proof.doubt)
        closed = ""
        if not proofs and self._open is not None:
            self._open.cancel()
            self._open = None
        elif proofs and self._open is None:
            closed = await self._go_public(group)
        self._judged.certificates_judged(
            {each: _verdict(each, proof, closed) for each, proof in found.items()}
        )

    async def _go_public(self, group: TaskGroup) -> str:
        """Open the port; returns why it cannot be."""
        try:
            listening = self._listen()
        except Conflict as exc:
            self._publish(Notice(at=self._clock.wall(), level="error", text=str(exc)))
            return f"{exc.what}: {exc.cause}"
        self._open = await group.start(self._serve, listening)
        return ""

    async def _serve(
        self,
        listening: Sequence[socket.socket],
        *,
        task_status: TaskStatus[CancelScope],
    ) -> None:
        with anyio.CancelScope() as scope:
            task_status.started(scope)
            await serve_tls(self._handler, listening, lambda: self._context, self._limits, CLOSING)

    def _asking(self) -> ssl.SSLContext:
        context = server_context()
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        """The library's question in the midst of a handshake; the answer is None or an alert."""
        contexts = self._contexts
        chosen = contexts.get(name.lower()) if name else None
        if chosen is None and len(contexts) == 1:
            (chosen,) = contexts.values()
        if chosen is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = chosen
        return None

    def _tell(self, certificate: Certificate, doubt: str) -> None:
        self._publish(
            CertificateDoubted(
                at=self._clock.wall(),
                namespace=certificate.namespace,
                host=certificate.host,
                secret=certificate.secret,
                why=doubt,
            )
        )


def _looked_at(certificate: Certificate) -> Proof | Unfit:
    try:
        return examined(certificate)
    except Unfit as exc:
        return exc


def _verdict(certificate: Certificate, found: Proof | Unfit, closed: str) -> Unusable | None:
    if isinstance(found, Unfit):
        where = f"Secret {certificate.namespace}/{certificate.secret}"
        return failed(certificate.secret, f"{where}: {found}.")
    return Unusable(PORT_UNAVAILABLE, closed) if closed else None
