"""Images that knlite made in an engine, and which of them nothing needs. Everything here blocks.

An engine may be shared, and an image made from layers bears nobody's name, as it is the same
whoever makes it. So each run notes in its cache which images it has made, and only those are
removed without asking for all. The engine itself refuses to remove what a container uses.

Not here: who uses what (``functions/cacheuse.py``).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knlite.runtime.docker import images
from knlite.runtime.docker.dependencies import MADE_BY
from knlite.runtime.docker.imageconfig import INPUTS

if TYPE_CHECKING:
    from docker import APIClient

FOLDER = "images"
"""Below the cache: an empty file for each image that was made with it."""


@dataclass(frozen=True, slots=True)
class MadeImage:
    """An image that knlite has made."""

    id: str
    names: tuple[str, ...]
    """Empty for one that a newer one has taken the name of."""
    size: int
    """Bytes of what it does not share with its base or its packages."""


def use_name(image: str) -> str:
    """What ``cacheuse.py`` calls the image with that id."""
    return f"{FOLDER}/{image.removeprefix('sha256:')}"


def note_made(cache_dir: Path, image: str) -> None:
    """Remember that the image with that id was made with this cache. Raises ``OSError``."""
    file = cache_dir / use_name(image)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def unused_images(
    client: "APIClient", cache_dir: Path, used: Collection[str], *, everything: bool = False
) -> list[MadeImage]:
    """Images that no run and no container uses.

    Those that still have a name, and those made with another cache, only with *everything*.
    """
    held = {str(each["ImageID"]) for each in client.containers(all=True)}
    found = []
    for image in client.images(filters={"label": INPUTS}):
        made = str(image["Id"])
        names = tuple(name for name in image.get("RepoTags") or () if name != "<none>:<none>")
        ours = (cache_dir / use_name(made)).exists()
        if made in held or use_name(made) in used or not (everything or (ours and not names)):
            continue
        # The stubs leave this one method without types.
        lines = client.history(made)  # type: ignore[no-untyped-call]
        found.append(MadeImage(made, names, _own_size(lines)))
    return sorted(found, key=lambda each: (each.names, each.id))


def remove_image(client: "APIClient", cache_dir: Path, image: MadeImage) -> bool:
    """Remove it, unless something has come to need it; whether it is gone."""
    from docker.errors import APIError, ImageNotFound
    from requests.exceptions import RequestException

    try:
        for each in image.names or (image.id,):
            client.remove_image(each)
    except ImageNotFound:
        pass
    except (APIError, RequestException):
        return False  # A container, or an image that was made from it.
    (cache_dir / use_name(image.id)).unlink(missing_ok=True)
    return True


def remove_if_unused(
    client: "APIClient", cache_dir: Path, image: str, used: Collection[str]
) -> bool:
    """Remove the image with that id if it has lost its name and nobody uses it.

    False if it has to be tried again, since a container still uses it.
    """
    found = images.inspect(client, image)
    if found is None or found.get("RepoTags") or use_name(image) in used:
        return True
    if INPUTS not in ((found.get("Config") or {}).get("Labels") or {}):
        return True  # Somebody else's.
    return remove_image(client, cache_dir, MadeImage(image, (), 0))


def remove_superseded(client: "APIClient", cache_dir: Path, used: Collection[str]) -> list[str]:
    """Remove images of this cache that have lost their name and nobody uses; their ids."""
    found = unused_images(client, cache_dir, used)
    removed = [each.id for each in found if remove_image(client, cache_dir, each)]
    _forget_gone(client, cache_dir)
    return removed


def _forget_gone(client: "APIClient", cache_dir: Path) -> None:
    """Images that the user has removed are no longer worth a file."""
    there = {str(each["Id"]) for each in client.images(filters={"label": INPUTS})}
    folder = cache_dir / FOLDER
    for file in folder.iterdir() if folder.exists() else ():
        if f"sha256:{file.name}" not in there:
            file.unlink(missing_ok=True)


def _own_size(history: list[Mapping[str, Any]]) -> int:
    """The newest layers come first; another image's name marks where that begins."""
    total = 0
    for number, line in enumerate(history):
        shared = number and line.get("Tags")
        if shared or line.get("CreatedBy") in (MADE_BY, "base image"):
            break
        total += int(line.get("Size") or 0)
    return total
