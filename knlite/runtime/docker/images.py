"""The engine's store of images: look up, pull, build. Everything here blocks.

An image that knlite built carries the hash of its context as a label. The same context again is
found by that label, also after the folder has been changed and changed back, so an unchanged
folder costs a hash and one question.

Source: imagePullPolicy as in Kubernetes. Differs: without a policy an image that is there is used
even if its tag is ``latest``, since on a developer's machine it is usually the one just built.
"""

import json
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from knlite.runtime.docker import problems
from knlite.runtime.docker.context import Context
from knlite.runtime.docker.owner import OWNER, PREFIX, Owner
from knlite.serving.workload import StoredImage

if TYPE_CHECKING:
    from docker import APIClient

CONTEXT = f"{PREFIX}/context"
"""Label of an image: the hash of what it was built from."""

Say = Callable[[str], None]
"""Takes a step's sentence, from any thread."""


def stored_image(client: "APIClient", image: StoredImage, say: Say) -> str:
    """The id of *image*, pulled if its policy says so. Raises ``InstanceFailed``."""
    found = image_id(client, image.reference)
    if image.pull_policy == "Never":
        if found is None:
            raise problems.never_pulled(image.reference)
        return found
    if found is not None and image.pull_policy != "Always":
        return found
    return pull(client, image.reference, say)


def image_id(client: "APIClient", reference: str) -> str | None:
    """The id of an image in the local store."""
    inspected = _inspect(client, reference)
    return None if inspected is None else str(inspected["Id"])


def pull(client: "APIClient", reference: str, say: Say) -> str:
    """Fetch *reference* from its registry."""
    from docker.errors import APIError, DockerException

    say(f"pulling {reference}")
    try:
        for step in client.pull(reference, tag=_tag(reference), stream=True, decode=True):
            if "error" in step:
                raise problems.pull_failed(reference, str(step["error"]))
            # Progress bars have a fraction; only what is finished is worth a line.
            if not step.get("progressDetail") and step.get("status"):
                say(f"{reference}: {' '.join(_words(step))}")
    except (APIError, DockerException) as error:
        raise problems.pull_failed(reference, problems.engine_says(error)) from error
    found = image_id(client, reference)
    if found is None:
        raise problems.pull_failed(reference, "the engine does not hold it after pulling")
    return found


def build(
    client: "APIClient",
    name: str,
    what: str,
    context: Context,
    owner: Owner,
    say: Say,
    *,
    steps: bool = True,
) -> str:
    """The id of an image made of *context* and called *name*; *what* names it in errors.

    *steps* tells each step of the Dockerfile, which interests only who wrote it. Raises
    ``InstanceFailed("BuildFailed")``.
    """
    digest = context.digest()
    known = _built(client, name, digest)
    if known is not None:
        return known
    say(f"building {name} from {what}")
    output: list[str] = []
    labels = {CONTEXT: digest, OWNER: owner.encode()}
    with context.tar() as archive:
        for line in _build_output(client, name, what, context, archive, labels):
            output.append(line)
            if steps and not any(word in line for word in _OURS):
                say(line)
            if line.startswith(_FAILED):
                raise problems.build_failed(what, line.removeprefix(_FAILED), output[:-1])
    found = image_id(client, name)
    if found is None:
        raise problems.build_failed(what, "the engine built no image", output)
    return found


_FAILED = "error: "
_OURS = ("Successfully ", " : LABEL knlite.dev/")
"""Of the output, what the author of a Dockerfile did not write."""


def _build_output(
    client: "APIClient",
    name: str,
    what: str,
    context: Context,
    archive: IO[bytes],
    labels: dict[str, str],
) -> Iterator[str]:
    from docker.errors import DockerException

    try:
        steps = client.build(
            fileobj=archive,
            custom_context=True,
            dockerfile=context.dockerfile,
            tag=name,
            labels=labels,
            rm=True,
            # Without it a step that fails leaves its container behind.
            forcerm=True,
            decode=True,
        )
        for step in steps:
            if "error" in step:
                yield _FAILED + str(step["error"])
            for line in str(step.get("stream", "")).splitlines():
                if line.strip() and not line.startswith((" --->", "Removing intermediate")):
                    yield line.rstrip()
    except DockerException as error:
        raise problems.build_failed(what, problems.engine_says(error), []) from error
    except json.JSONDecodeError as error:
        raise problems.build_failed(what, f"the engine's answer is cut off: {error}", []) from error


def _built(client: "APIClient", name: str, digest: str) -> str | None:
    current = _inspect(client, name)
    labels = (current or {}).get("Config", {}).get("Labels") or {}
    if current is not None and labels.get(CONTEXT) == digest:
        return str(current["Id"])
    for image in client.images(filters={"label": f"{CONTEXT}={digest}"}):
        found = str(image["Id"])
        repository, _, tag = name.rpartition(":") if _tag(name) is None else (name, "", "latest")
        client.tag(found, repository, tag)
        return found
    return None


def _inspect(client: "APIClient", reference: str) -> dict[str, Any] | None:
    from docker.errors import APIError, ImageNotFound

    try:
        # The stubs leave this one method without types.
        found: dict[str, Any] = client.inspect_image(reference)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None
    except APIError as error:
        raise problems.pull_failed(reference, problems.engine_says(error)) from error
    return found


def _tag(reference: str) -> str | None:
    """``latest`` for a reference without tag or digest: asked without one, engines pull all."""
    return None if ":" in reference.rpartition("/")[2] or "@" in reference else "latest"


def _words(step: dict[str, Any]) -> list[str]:
    return [str(step[key]) for key in ("id", "status") if step.get(key)]
