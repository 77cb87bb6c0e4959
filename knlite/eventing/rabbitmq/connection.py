"""Where a RabbitMQ server is, and who asks there, out of the Secrets and ConfigMaps that say it.

A connection Secret holds ``uri``, ``username``, ``password`` and perhaps ``port``, as upstream:
``uri`` is that of the server's management, of which the host counts, and whether it is https. A
cluster that is named has the Secret ``NAME-default-user``, as the RabbitMQ operator makes it.

Differs: ``uri`` may also be that of the server itself (``amqp``, ``amqps``), and then all of it
counts, before the keys beside it. A ConfigMap may say the same. A cluster's host is taken from its
Secret, as there are no objects of the operator here.

Source: knative-extensions/eventing-rabbitmq ``pkg/rabbit/service.go``; Eventing data plane
reference §9.4. Not here: what a Broker or a source makes of it (``resources.py``).
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from knlite.eventing.rabbitmq.backing import PORT, TLS_PORT, RabbitmqServer
from knlite.eventing.references import not_found
from knlite.kinds.config.servers import AUTH_SECRET
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.rabbitmqcluster import RabbitmqClusterReference
from knlite.reconcile import View

DEFAULT_VHOST: Final = "/"
CA_SECRET: Final = "caSecretName"
"""Key of a connection Secret: the Secret whose ``ca.crt`` vouches for the server."""
_SCHEMES: Final = ("http", "https", "amqp", "amqps")
_MANAGED: Final = ("http", "https")
"""Schemes by which a port is not the one that events go through."""
_HOST: Final = re.compile(
    r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){0,126}\.?"
    r"|(?=.*:)[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9_.-]{1,32})?"
)
_MEANT: Final[Mapping[str, str]] = {
    "uri": f"the host of the server, or amqp://HOST:{PORT}",
    "host": "the host of the server",
    "username": "who connects to the server",
    "password": "the password of who connects to the server",
    "ca.crt": "the certificate that vouches for the server",
}


class Unusable(ValueError):
    """Why there is no connection in what was given; the text names no secret."""


def of_reference(
    reference: RabbitmqClusterReference, vhost: str, namespace: str, view: View
) -> RabbitmqServer:
    """The server that *reference*, of an object in *namespace*, means; raises ``Unusable``."""
    within = reference.namespace or namespace
    if reference.connection_secret is not None:
        return of_secret(within, reference.connection_secret.name, vhost, namespace, view)
    return of_cluster(within, reference.name, vhost, view)


def of_cluster(namespace: str, name: str, vhost: str, view: View) -> RabbitmqServer:
    """The RabbitmqCluster *name*, by the Secret of its default user; raises ``Unusable``."""
    secret = f"{name}-default-user"
    found = view.get(Secret, namespace, secret)
    if found is None:
        raise Unusable(
            f'{not_found("", "Secret", secret)} in "{namespace}": knlite runs no RabbitmqCluster;'
            f" copy that Secret of a cluster here, or write one with the keys host, port, username"
            " and password"
        )
    entries = texts(found)
    where = f'Secret "{namespace}/{secret}"'
    port = _port(entries.get("port") or str(PORT), where)
    host = _required(entries, "host", where)
    _require_host(host, "host", where)
    return RabbitmqServer(
        host=host,
        port=port,
        tls=port == TLS_PORT or entries.get("connection_string", "").startswith("amqps:"),
        username=_required(entries, "username", where),
        password=_required(entries, "password", where),
        vhost=_named(vhost),
    )


def of_secret(
    namespace: str, name: str, vhost: str, ca_namespace: str, view: View
) -> RabbitmqServer:
    """What the connection Secret *name* says; raises ``Unusable``."""
    found = view.get(Secret, namespace, name)
    if found is None:
        raise Unusable(f'{not_found("", "Secret", name)} in "{namespace}"')
    return of_entries(texts(found), vhost, f'Secret "{namespace}/{name}"', ca_namespace, view)


def with_auth_secret(entries: Mapping[str, str], namespace: str, view: View) -> Mapping[str, str]:
    """*entries* of a ConfigMap in *namespace* with those of the Secret that they name."""
    name = entries.get(AUTH_SECRET, "")
    if not name:
        return entries
    found = view.get(Secret, namespace, name)
    if found is None:
        raise Unusable(
            f'{not_found("", "Secret", name)} in "{namespace}", which {AUTH_SECRET} names'
        )
    return {**entries, **texts(found)}


def of_entries(
    entries: Mapping[str, str], vhost: str, where: str, ca_namespace: str, view: View
) -> RabbitmqServer:
    """The server that *entries* describe, which stand in *where*; raises ``Unusable``."""
    uri = _required(entries, "uri", where)
    scheme, separator, rest = uri.partition("://")
    scheme = scheme.lower() if separator else "http"
    if scheme not in _SCHEMES:
        raise Unusable(
            f"uri in {where} must be a host, or begin with one of"
            f" {', '.join(f'{each}://' for each in _SCHEMES)}"
        )
    parts = _split(rest if separator else uri, where)
    host, port = parts.hostname, parts.port
    if not host:
        raise Unusable(f"uri in {where} names no host: write amqp://HOST:{PORT}")
    _require_host(host, "uri", where)
    tls, whole = scheme in {"https", "amqps"}, scheme not in _MANAGED
    if not whole or port is None:
        standard = TLS_PORT if scheme == "amqps" else PORT
        port = _port(entries["port"], where) if entries.get("port") else standard
    inside = (unquote(parts.username or ""), unquote(parts.password or ""))
    beside = (entries.get("username", ""), entries.get("password", ""))
    first, second = (inside, beside) if whole else (beside, inside)
    # The ConfigMap that is there from the start says / where nobody has said anything.
    said = "" if vhost == DEFAULT_VHOST else vhost
    return RabbitmqServer(
        host=host,
        port=port,
        tls=tls,
        username=first[0] or second[0] or _absent("username", where),
        password=first[1] or second[1] or _absent("password", where),
        vhost=_named(said or (unquote(parts.path[1:]) if whole else "")),
        ca=_authority(entries.get(CA_SECRET, ""), ca_namespace, view),
    )


def texts(secret: Secret) -> Mapping[str, str]:
    """What *secret* holds, as text without the line break that ``echo`` leaves; what is no text is
    left out."""
    found: dict[str, str] = {}
    for key, value in secret.data.items():
        try:
            found[key] = b64decode(value).decode().rstrip("\r\n")
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


def _split(authority: str, where: str) -> SplitResult:
    """The parts of a URI behind its scheme; what it says is not repeated, as it may be secret."""
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port
    except ValueError as exc:
        raise Unusable(f"uri in {where} is no URI: write amqp://HOST:{PORT}") from exc
    return parts


def _authority(name: str, namespace: str, view: View) -> str:
    if not name:
        return ""
    found = view.get(Secret, namespace, name)
    if found is None:
        raise Unusable(_not_named(name, namespace, CA_SECRET))
    return _required(texts(found), "ca.crt", f'Secret "{namespace}/{name}"')


def _not_named(name: str, namespace: str, key: str) -> str:
    return f'{not_found("", "Secret", name)} in "{namespace}", which {key} names'


def _required(entries: Mapping[str, str], key: str, where: str) -> str:
    value = entries.get(key)
    if not value:
        _absent(key, where)
    return value


def _absent(key: str, where: str) -> NoReturn:
    raise Unusable(f"missing key {key} in {where}: {_MEANT.get(key, 'it is needed')}")


def _require_host(host: str, key: str, where: str) -> None:
    """What resolvers can be asked for: names of labels, or an address."""
    if not _HOST.fullmatch(host):
        raise Unusable(f"{key} in {where} names no host that there could be")


def _port(text: str, where: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 0 < number < 65536:
        raise Unusable(f"port in {where} must be a number from 1 to 65535")
    return number


def _named(vhost: str) -> str:
    """Upstream puts *vhost* behind a slash, if it does not begin with one."""
    return vhost.removeprefix("/") or DEFAULT_VHOST
