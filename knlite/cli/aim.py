"""Where a request of a person goes: a Service, a broker, or a URL, by the names that they use."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from knlite.errors import InvalidInput, KnliteError

if TYPE_CHECKING:
    from knlite.cli.client import Client

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_SERVICES = frozenset(("service", "services", "ksvc"))
_BROKERS = frozenset(("broker", "brokers"))


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a request goes."""

    url: str
    through: str = ""
    """HOST:PORT of the gateway, where the URL's own host may not be known to any name service."""
    takes_events: bool = False
    """Whether nothing but events is taken there."""


def aim(to: str, namespace: str, path: str, client: "Client") -> Aim:
    """What *to* means: NAME, service/NAME, broker/NAME or a URL; *path* is added to a Service's.

    Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    if "://" in to:
        return Aim(to)
    word, slash, name = to.rpartition("/")
    if not _NAME.fullmatch(name) or (slash and word not in _SERVICES | _BROKERS):
        raise InvalidInput(
            f'"{to}" is neither a Service, nor a broker, nor a URL',
            fix="write NAME or service/NAME, broker/NAME, or http://HOST/PATH",
        )
    if word in _BROKERS:
        return _broker(name, namespace, path, client)
    url = service_url(client, namespace, name)
    return Aim(below(url, path), urlsplit(client.gateway()).netloc)


def service_url(client: "Client", namespace: str, name: str) -> str:
    """The URL that a Service tells. Raises ``NotFound``, ``Unreachable``."""
    from knlite.kinds.catalog import info_of
    from knlite.kinds.serving.service import Service

    url = client.one(info_of(Service), namespace, name).get("status", {}).get("url", "")
    if not url:
        raise KnliteError(
            f'Service "{name}" in namespace {namespace} has no URL yet',
            fix=f"see why: knlite get ksvc {name} -n {namespace} -o yaml",
        )
    return str(url)


def below(url: str, path: str) -> str:
    """*url* with *path* (with its query) behind it."""
    rest = quote(path.lstrip("/"), safe="/?&=%:@!$'()*+,;~-._", errors="surrogateescape")
    return f"{url.rstrip('/')}/{rest}"


def _broker(name: str, namespace: str, path: str, client: "Client") -> Aim:
    from knlite.kinds.catalog import info_of
    from knlite.kinds.eventing.broker import Broker

    if path:
        raise InvalidInput("--path is for Services", cause="a broker has one address")
    # What is not there is told better by the API than by the gateway.
    client.one(info_of(Broker), namespace, name)
    return Aim(f"{client.gateway()}/ns/{namespace}/brokers/{name}", takes_events=True)
