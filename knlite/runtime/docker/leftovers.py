"""What runs that are over have left in the engine: containers, volumes, and superseded images.

A killed knlite leaves its containers and their volumes. Every knlite leaves the images of folders
that have changed since: they have lost their name to a newer one, but a revision could start from
them as long as the run that built them lived.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from knlite.runtime.docker.images import CONTEXT
from knlite.runtime.docker.owner import (
    OWNER,
    PREFIX,
    Owner,
    certainly_dead,
    current_owner,
    decode_owner,
)
from knlite.runtime.docker.remove import remove_container

if TYPE_CHECKING:
    from docker import APIClient


def sweep(client: "APIClient", me: Owner) -> tuple[str, ...]:
    """Remove what belongs to dead owners; a word for each thing removed. Blocks."""
    containers = client.containers(all=True, filters={"label": OWNER})
    volumes = client.volumes(filters={"label": OWNER})["Volumes"] or []
    images = client.images(filters={"label": [CONTEXT, OWNER], "dangling": True})
    if not containers and not volumes and not images:
        return ()
    running = {str(each["Id"]): True for each in client.containers()}
    removed = []
    for each in containers:
        owner = _dead_owner(each["Labels"], me, running)
        if owner is not None and remove_container(client, each["Id"]):
            name = each["Labels"].get(f"{PREFIX}/instance") or each["Id"][:12]
            removed.append(f"container {name} of process {owner.pid}")
    removed += [
        f"volume {each['Name']}"
        for each in volumes
        if _dead_owner(each["Labels"], me, running) and _remove_volume(client, each["Name"])
    ]
    superseded = [
        each["Id"].removeprefix("sha256:")[:12]
        for each in images
        if _dead_owner(each["Labels"], me, running) and _remove_image(client, each["Id"])
    ]
    return (*removed, *(f"superseded image {image}" for image in superseded))


def release(client: "APIClient", volume: str) -> bool:
    """Remove a volume that was to last; False while a container mounts it. Blocks."""
    from docker.errors import APIError, NotFound
    from requests.exceptions import RequestException

    try:
        client.remove_volume(volume)
    except NotFound:
        return True
    except (APIError, RequestException):
        return False
    return True


def _dead_owner(labels: Mapping[str, str], me: Owner, running: Mapping[str, bool]) -> Owner | None:
    owner = decode_owner(labels[OWNER])
    if owner is None or owner == me:
        return None
    return owner if certainly_dead(owner, me, current_owner(owner.pid), running) else None


def _remove_volume(client: "APIClient", volume: str) -> bool:
    from docker.errors import APIError

    try:
        client.remove_volume(volume)
    except APIError:
        return False  # A container still mounts it.
    return True


def _remove_image(client: "APIClient", image: str) -> bool:
    from docker.errors import APIError

    try:
        client.remove_image(image)
    except APIError:
        return False  # Something still needs it: a container, or an image made from it.
    return True
