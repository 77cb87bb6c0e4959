"""What the engine must know of a RabbitMQ server, and of what a resource is there.

Source: Eventing data plane reference §9.4; Eventing reference §17 (RabbitmqBrokerConfig,
RabbitmqSource). Not here: how objects say it (``resources.py``), names of queues (``names.py``).
"""

from dataclasses import dataclass, field
from typing import Literal

QueueType = Literal["quorum", "classic"]

PORT = 5672
TLS_PORT = 5671


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitmqServer:
    """One virtual host of one server, and who we are there."""

    host: str
    port: int = PORT
    tls: bool = False
    username: str = "guest"
    password: str = field(default="guest", repr=False)
    vhost: str = "/"
    ca: str = ""
    """PEM that vouches for the server; empty: what the machine trusts."""

    @property
    def address(self) -> str:
        """As people are told of it, without secrets."""
        scheme = "amqps" if self.tls else "amqp"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitmqBacking:
    """What one resource is on a server.

    A Broker is an exchange to which a queue for each Trigger is bound. A RabbitmqSource is one
    queue, perhaps bound to an exchange that others publish to.
    """

    server: RabbitmqServer
    exchange: str = ""
    """Of a Broker its own; of a source that of somebody else, or "": the queue alone."""
    queue_type: QueueType = "quorum"
    dead_letter_exchange: str = ""
    """The Broker's own, for Triggers without a delivery of their own; "": it has none."""
    dead_letter_queue: str = ""
    queue: str = ""
    """Of a source: the one that it reads; "": this is no source."""
    predeclared: bool = False
    """Exchange and queue of a source are somebody else's: never declared, never deleted."""
    foreign: str = ""
    """Source attribute of messages that are no CloudEvents; "": they are dropped, and counted."""
    uid: str = ""
    """What names on the server hold of the resource."""

    @property
    def is_source(self) -> bool:
        return bool(self.queue)
