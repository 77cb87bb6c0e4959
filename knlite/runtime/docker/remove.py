"""Removing a container, whatever it does. Blocks."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import APIClient


def remove_container(client: "APIClient", container: str) -> bool:
    """Kill and remove; whether it was there."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    try:
        client.remove_container(container, force=True, v=True)
    except (APIError, RequestException):
        # Gone already, or being removed by somebody else; what stays is the next sweep's.
        return False
    return True
