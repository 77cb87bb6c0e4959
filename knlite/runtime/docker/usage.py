"""What a container uses, as the engine counts it. Blocks.

Source: Docker Engine API, "Get container stats based on resource usage" (one-shot, so that the
engine does not wait a second for a second sample); kubelet's working set, for memory.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from knlite.runtime.port import Usage

if TYPE_CHECKING:
    from docker import APIClient

_NANOSECONDS = 1_000_000_000


def used(client: "APIClient", container: str) -> Usage | None:
    """None for a container that does not run."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    try:
        return parse(client.stats(container, stream=False, one_shot=True))
    except (APIError, RequestException):
        return None


def parse(stats: Mapping[str, Any]) -> Usage | None:
    """*stats* as the engine gives them."""
    cpu = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage")
    memory = stats.get("memory_stats", {})
    if cpu is None or "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    # Versions 1 and 2 of control groups name the pages that can be given back differently.
    idle = details.get("total_inactive_file", details.get("inactive_file", 0))
    return Usage(cpu / _NANOSECONDS, max(0, memory["usage"] - idle))
