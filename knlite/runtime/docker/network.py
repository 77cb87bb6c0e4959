"""How instances and the gateway see each other.

Three situations, told apart once at start:

* *Bridge*: engine and knlite share a kernel. Containers sit on the engine's default bridge and are
  reached by their own addresses; nothing is published. They reach the gateway at the bridge's
  address, on which it must listen.
* *Published*: the engine runs in a virtual machine or is rootless, so container addresses lead
  nowhere. Each instance's port is published on a free loopback port, and the engine's own name for
  its host (``host-gateway``) leads back. The engine's proxy accepts connections before the program
  listens and then resets them, so here only an HTTP probe tells readiness.
* *Joined*: knlite itself runs in a container. Instances join its network.

The default bridge, not a network of knlite's own: measured on one machine, create + start + first
answer took 197 ms on the default bridge, 257 ms on a user-defined one (which adds a DNS server and
isolation rules for every container) and 93 ms on the host's network. The host's network would be
faster still but gives up what a container is for: two instances could not listen on one port, and
every port that a program opens would be the machine's.

Cluster names are written into each container's hosts file at its start. That file knows no
wildcards, so a name that is declared later is unknown to containers that run already.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from knlite.serving.instance import Address
from knlite.serving.vantage import CLUSTER_DOMAIN

if TYPE_CHECKING:
    from docker import APIClient

HOST_GATEWAY = "host-gateway"
"""Engines replace it in a hosts entry by an address that leads to their host."""
_OWN_ID = re.compile(r"/containers/([0-9a-f]{64})/")


@dataclass(frozen=True, slots=True)
class Network:
    """Where containers are put."""

    kind: Literal["bridge", "published", "joined"]
    mode: str
    """The engine's network mode for new containers."""
    gateway: str
    """What cluster names resolve to in containers: an address, or ``host-gateway``."""

    def bind_addresses(self) -> tuple[str, ...]:
        """Addresses, besides loopback, on which the gateway must listen for containers."""
        return () if self.kind == "published" else (self.gateway,)


def find_network(client: "APIClient", *, remote_host: bool, own: str | None) -> Network:
    """The network for new containers; *own* is knlite's own container, if it runs in one."""
    if own is not None:
        for name, ends in client.inspect_container(own)["NetworkSettings"]["Networks"].items():
            if ends.get("IPAddress"):
                return Network("joined", name, ends["IPAddress"])
    bridge = None if remote_host else _bridge_address(client)
    if bridge is None:
        return Network("published", "bridge", HOST_GATEWAY)
    return Network("bridge", "bridge", bridge)


def own_container(client: "APIClient") -> str | None:
    """The container that this process runs in, if the engine knows it."""
    from docker.errors import DockerException

    for guess in _own_ids():
        try:
            return str(client.inspect_container(guess)["Id"])
        except DockerException:
            continue
    return None


def extra_hosts(env: Mapping[str, str], hosts: Iterable[str], gateway: str) -> dict[str, str]:
    """Hosts entries: all known cluster names, and those that the environment's URLs mention."""
    names = {host for host in map(_cluster_host, env.values()) if host}
    return dict.fromkeys(sorted(names | set(hosts)), gateway)


def instance_address(inspected: Mapping[str, Any], network: Network, port: int) -> Address | None:
    """Where a started container is reached; None if the engine gave it no address."""
    settings = inspected["NetworkSettings"]
    if network.kind == "published":
        bindings = (settings.get("Ports") or {}).get(f"{port}/tcp") or []
        return Address("127.0.0.1", int(bindings[0]["HostPort"])) if bindings else None
    ends = settings.get("Networks") or {}
    host = (ends.get(network.mode) or {}).get("IPAddress") or settings.get("IPAddress")
    return Address(host, port) if host else None


def parse_listeners(table: str) -> tuple[Address, ...]:
    """Listening sockets in the text of ``/proc/<pid>/net/tcp`` or ``tcp6``."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 3 and fields[3] == "0A":
            host, _, port = fields[1].partition(":")
            # The kernel prints each 32-bit word in the machine's byte order, here little-endian.
            words = [bytes.fromhex(host[i : i + 8])[::-1] for i in range(0, len(host), 8)]
            address = str(ipaddress.ip_address(b"".join(words)))
            found.append(Address(address, int(port, 16)))
    return tuple(found)


def _own_ids() -> list[str]:
    if not any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")):
        return []
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
    except OSError:
        mounts = ""
    return [*dict.fromkeys(_OWN_ID.findall(mounts)), socket.gethostname()]


def _bridge_address(client: "APIClient") -> str | None:
    """The default bridge's address, if it belongs to this machine."""
    from docker.errors import NotFound

    for name in ("bridge", "podman"):
        try:
            configs = client.inspect_network(name)["IPAM"]["Config"] or []
        except NotFound:
            continue
        for config in configs:
            address = config.get("Gateway") or _first_host(config.get("Subnet", ""))
            if address and _is_mine(address):
                return str(address)
    return None


def _first_host(subnet: str) -> str:
    try:
        return str(next(ipaddress.ip_network(subnet).hosts()))
    except (ValueError, StopIteration):
        return ""


def _is_mine(address: str) -> bool:
    """Whether a server could listen there; engines in a VM name addresses of the VM."""
    if ":" in address:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _cluster_host(value: str) -> str | None:
    if not value.startswith("http"):
        return None
    try:
        host = urlsplit(value).hostname or ""
    except ValueError:
        return None
    return host if host.endswith(f".{CLUSTER_DOMAIN}") else None
