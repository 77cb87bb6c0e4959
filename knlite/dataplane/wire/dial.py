"""Making a connection to a server, and saying in Go's words why there is none.

The words reach clients in the body of a 502, as upstream's do (Knative reference §3.3).
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from knlite.dataplane.wire.failures import Failure, Refused, TimedOut
from knlite.serving.instance import Address

CONNECT_SECONDS = 5.0

Made = TypeVar("Made", bound=asyncio.BaseProtocol)


async def dial(
    address: Address, make: Callable[[], Made], *, tls: ssl.SSLContext | None = None
) -> Made | Failure:
    """Connect to *address*; returns what *make* made for the connection."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, made = await asyncio.get_running_loop().create_connection(
                make, address.host, address.port, ssl=tls
            )
    except TimeoutError:
        return TimedOut(f"dial tcp {_shown(address)}: i/o timeout")
    except ConnectionRefusedError:
        return Refused(f"dial tcp {_shown(address)}: connect: connection refused")
    except ssl.SSLError as exc:
        return Refused(f"tls: {exc.reason or exc}")
    except OSError as exc:
        return Refused(f"dial tcp {_shown(address)}: {exc.strerror or exc}")
    return made


def words(exc: Exception) -> str:
    """Why a connection was lost."""
    if isinstance(exc, ConnectionResetError):
        return "read: connection reset by peer"
    if isinstance(exc, BrokenPipeError):
        return "write: broken pipe"
    return str(exc) or type(exc).__name__


def _shown(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"
