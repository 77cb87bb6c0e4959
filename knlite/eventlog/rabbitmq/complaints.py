"""What went wrong on a server, in its own words, and what to do about it.

Source: AMQP 0-9-1 section 1.5 (reply codes); RabbitMQ's access control and networking guides.
"""

import asyncio
import ssl
from dataclasses import dataclass

from aiormq.exceptions import (
    AMQPError,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)

from knlite.errors import Unavailable
from knlite.eventing.rabbitmq.backing import RabbitmqServer
from knlite.eventlog.rabbitmq.frames import TooLong, Unspeakable
from knlite.eventlog.rabbitmq.wire import Refused

ACCESS_REFUSED = 403
NOT_ALLOWED = 530


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something does not work at the moment."""

    words: str
    """Of the server, or of the network."""
    fix: str
    credentials: bool = False
    """The server does not let us in as who we are."""
    lasting: bool = False
    """Trying again soon will not help: somebody has to change something."""

    @property
    def message(self) -> str:
        """As a condition shows it."""
        return f"{self.words.rstrip('.')}; {self.fix}" if self.fix else self.words

    def unavailable(self, what: str) -> Unavailable:
        """As a sender hears of it."""
        return Unavailable(what, cause=self.words, fix=self.fix)


def of_connecting(exc: BaseException, server: RabbitmqServer) -> Trouble:
    """Why no connection to *server* came about, or why it has ended."""
    where = server.address
    if isinstance(exc, Refused):
        words = f"{where}: {exc.words}"
        if exc.code == ACCESS_REFUSED:
            fix = f'check the password of user "{server.username}"'
            return Trouble(words, fix, credentials=True, lasting=True)
        if exc.code == NOT_ALLOWED:
            fix = (
                f'make vhost "{server.vhost}" on the server, and let user "{server.username}" in:'
                f' rabbitmqctl add_vhost, rabbitmqctl set_permissions -p "{server.vhost}"'
                f' "{server.username}" ".*" ".*" ".*"'
            )
            return Trouble(words, fix, credentials=True, lasting=True)
        return Trouble(words, "see its log; it is used again as soon as it answers")
    if isinstance(exc, ssl.SSLCertVerificationError):
        fix = "give the certificate of who has signed it as ca.crt, and use the name that it is for"
        return Trouble(f"{where}: {exc.verify_message}", fix, lasting=True)
    if isinstance(exc, ssl.SSLError | TypeError) and "cadata" in str(exc):
        return Trouble(f"{where}: ca.crt holds no certificate", "give one as PEM", lasting=True)
    if isinstance(exc, ssl.SSLError):
        fix = "no TLS is spoken there: give the port for it (5671), or no https in uri"
        return Trouble(f"{where}: {exc.reason or exc}", fix, lasting=True)
    if isinstance(exc, ConnectionRefusedError):
        return Trouble(f"{where}: connection refused", "start the server, or give its port")
    if isinstance(exc, TimeoutError):
        fix = "see whether it is RabbitMQ that listens there, and whether a firewall is in the way"
        return Trouble(f"{where} does not answer", fix)
    if isinstance(exc, AMQPError):
        fix = "see the log of the server; a port for TLS asks for https in uri"
        # In the library's words: how many bytes of an answer were missing.
        ended = isinstance(exc.__cause__, asyncio.IncompleteReadError | ConnectionError)
        words = "whoever listens there closes the connection at once" if ended else words_of(exc)
        return Trouble(f"{where}: {words}", fix)
    said = (isinstance(exc, OSError) and exc.strerror) or str(exc) or type(exc).__name__
    return Trouble(f"{where}: {said}", "check uri and port")


def of_setting_up(exc: BaseException, what: str, server: RabbitmqServer) -> Trouble:
    """Why *what* could not be set up on *server*."""
    words = f"{what}: {words_of(exc)}"
    if isinstance(exc, ChannelPreconditionFailed):
        fix = (
            "it is there with other properties, of an earlier run or of somebody else: delete it"
            " there (what waits in it is lost), or use what it is"
        )
        return Trouble(words, fix, lasting=True)
    if isinstance(exc, ChannelAccessRefused):
        fix = (
            f'let user "{server.username}" configure, write and read there: rabbitmqctl'
            f' set_permissions -p "{server.vhost}" "{server.username}" ".*" ".*" ".*"'
        )
        return Trouble(words, fix, lasting=True)
    if isinstance(exc, ChannelNotFoundEntity):
        return Trouble(words, "make it on the server, or have it made (predeclared: false)")
    if isinstance(exc, TooLong):
        return Trouble(words, "choose a name of at most 255 bytes", lasting=True)
    if isinstance(exc, Unspeakable):
        fix = "choose a name of letters, digits, spaces and - _ . : @ # , / +"
        return Trouble(words, fix, lasting=True)
    if isinstance(exc, TimeoutError):
        fix = "see its log, and whether the queue has a leader: rabbitmq-queues quorum_status QUEUE"
        return Trouble(f"{what}: the server does not answer", fix)
    return Trouble(words, "see the log of the server")


def words_of(exc: BaseException) -> str:
    """What the server has said, without the library's explanation."""
    texts = [each for each in exc.args if isinstance(each, str) and each]
    return " ".join(texts) or type(exc).__name__
