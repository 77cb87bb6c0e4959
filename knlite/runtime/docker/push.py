"""Pushes an image to its registry, through the engine, which knows its user's credentials.

Source: Docker Engine API, ``POST /images/{name}/push``: errors come inside the stream, with 200.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from knlite.errors import InvalidInput, KnliteError, Unreachable
from knlite.functions.report import Report
from knlite.runtime.docker import problems
from knlite.runtime.docker.engine import Engine, find_engine
from knlite.serving.imagename import registry_of, without_tag

if TYPE_CHECKING:
    from docker import APIClient

_REFUSED = re.compile(
    r"denied|unauthorized|authentication required|no basic auth|forbidden", re.IGNORECASE
)


async def push(
    environ: Mapping[str, str], image: str, auth: Mapping[str, str] | None, report: Report
) -> None:
    """Push *image*; *auth* is ``username`` and ``password``, or ``registrytoken``.

    Raises ``InvalidInput`` for a name that belongs to no registry, ``Unreachable`` without an
    engine, ``KnliteError`` if the registry refuses it.
    """
    require_registry(image)
    engine = await find_engine(environ)
    if not isinstance(engine, Engine):
        raise Unreachable("no container engine answers", cause=engine.why, fix=engine.fix)
    await to_thread.run_sync(_push, engine.client, image, auth, report, abandon_on_cancel=True)


def require_registry(image: str) -> None:
    """Raises ``InvalidInput`` if *image* is called as one that stays on this machine."""
    if registry_of(image) == "knlite.local":
        raise InvalidInput(
            f"{image} cannot be pushed",
            cause="it belongs to no registry",
            fix="say which: --registry HOST/USER, or --image HOST/USER/NAME",
        )


def shares(steps: Iterable[Mapping[str, Any]], image: str) -> Iterable[float]:
    """How much is done, 0 to 1, after each of the engine's *steps*. Raises ``KnliteError``."""
    layers: dict[str, tuple[int, int]] = {}
    for step in steps:
        if "error" in step:
            raise _failed(image, str(step["error"]))
        detail = step.get("progressDetail") or {}
        layer, total = str(step.get("id", "")), int(detail.get("total") or 0)
        if layer and total > 0:
            layers[layer] = (min(int(detail.get("current") or 0), total), total)
            done, whole = (sum(each) for each in zip(*layers.values(), strict=True))
            yield done / whole


def _push(client: "APIClient", image: str, auth: Mapping[str, str] | None, report: Report) -> None:
    from docker.errors import APIError, DockerException

    repository = without_tag(image)
    tag = image.removeprefix(repository).removeprefix(":") or "latest"
    try:
        steps = client.push(
            repository, tag, stream=True, decode=True, auth_config=dict(auth) if auth else None
        )
        for share in shares(steps, image):
            report(f"Pushing {image}", share)
    except (APIError, DockerException) as error:
        raise _failed(image, problems.engine_says(error)) from error


def _failed(image: str, cause: str) -> KnliteError:
    host = registry_of(image)
    fix = ""
    if _REFUSED.search(cause):
        fix = f"log in (docker login {host}), or give --username and --password"
    return KnliteError(f"{image} cannot be pushed to {host}", cause=cause.strip(), fix=fix)
