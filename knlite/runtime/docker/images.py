"""The engine's store of images: look up, pull, build. Everything here blocks.

An image that knlite built carries the hash of its context as a label. The same context again is
found by that label, also after the folder has been changed and changed back, so an unchanged
folder costs a hash and one question.

Source: imagePullPolicy as in Kubernetes. Differs: without a policy an image that is there is used
even if its tag is ``latest``, since on a developer's machine it is usually the one just built.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from knlite.functions.report import Report
from knlite.runtime.docker import problems
from knlite.runtime.docker.context import Context
from knlite.runtime.docker.owner import OWNER, PREFIX, Owner
from knlite.serving.imagename import same_repository, without_tag
from knlite.serving.workload import RESOLVE_SECONDS, StoredImage

if TYPE_CHECKING:
    from docker import APIClient

CONTEXT = f"{PREFIX}/context"
"""Label of an image: the hash of what it was built from."""

Say = Report
"""Takes a step's sentence, from any thread."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An image that the engine holds; *user* is its program's, empty for root."""

    id: str
    user: str
    digest: str
    """By which a registry knows it, where one does; else its id."""


def stored_image(client: "APIClient", image: StoredImage, say: Say) -> Stored:
    """*image*, pulled if its policy says so. Raises ``InstanceFailed``."""
    found = find_image(client, image.reference)
    if image.pull_policy == "Never":
        if found is None:
            raise problems.never_pulled(image.reference)
        return found
    # What a digest names cannot have changed.
    if found is not None and (image.pull_policy != "Always" or "@" in image.reference):
        return found
    return pull(client, image.reference, say, resolve_within=image.resolve_within, auth=image.auth)


def find_image(client: "APIClient", reference: str) -> Stored | None:
    """An image in the local store.

    A digest may also be the id of the image: what was built here has no other, so that is what a
    revision's status gives as its digest, and what ``kn`` writes into the next template.
    """
    inspected = inspect(client, reference)
    repository, at, digest = reference.partition("@")
    if inspected is None and at:
        inspected = inspect(client, digest)
    if inspected is None:
        return None
    return _stored(inspected, repository)


def pull(
    client: "APIClient",
    reference: str,
    say: Say,
    *,
    resolve_within: float = RESOLVE_SECONDS,
    auth: Mapping[str, str] | None = None,
) -> Stored:
    """Fetch *reference* from its registry, which has to answer within some seconds."""
    from docker.errors import APIError, DockerException

    say(f"pulling {reference}")
    tag = _tag(reference)
    try:
        _ask_registry(client, reference, resolve_within, auth)
        progress = PullProgress()
        for step in client.pull(
            reference, tag=tag, stream=True, decode=True, auth_config=dict(auth) if auth else None
        ):
            if "error" in step:
                raise problems.pull_failed(reference, str(step["error"]))
            share = progress.share(step)
            if share is not None:
                say(f"pulling {reference}", share)
    except (APIError, DockerException) as error:
        raise problems.pull_failed(reference, problems.engine_says(error)) from error
    found = find_image(client, reference)
    if found is None:
        raise problems.pull_failed(reference, "the engine does not hold it after pulling")
    return found


class PullProgress:
    """How much of a pull is done, by what the engine says of each layer.

    The engine tells of a layer's size only once it fetches it, so a share may be smaller than one
    before; it is then not told.
    """

    STEP = 0.01
    """The smallest advance that is worth telling."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}
        self._told = 0.0

    def share(self, step: Mapping[str, Any]) -> float | None:
        """What is done after *step*, if that is worth telling."""
        detail, layer = step.get("progressDetail") or {}, str(step.get("id", ""))
        total = int(detail.get("total") or 0)
        if total and step.get("status") == "Downloading":
            self._layers[layer] = (int(detail.get("current") or 0), total)
        elif step.get("status") == "Download complete" and layer in self._layers:
            self._layers[layer] = (self._layers[layer][1],) * 2
        else:
            return None
        share = sum(done for done, _ in self._layers.values()) / sum(
            size for _, size in self._layers.values()
        )
        if share < self._told + self.STEP:
            return None
        self._told = share
        return min(share, 1.0)


def _ask_registry(
    client: "APIClient", reference: str, seconds: float, auth: Mapping[str, str] | None
) -> None:
    """Have the engine ask the registry what *reference* is; a pull waits for it without end."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    answers: SimpleQueue[Exception | None] = SimpleQueue()

    def ask() -> None:
        try:
            # The stubs leave this one method without types, too.
            client.inspect_distribution(  # type: ignore[no-untyped-call]
                reference, auth_config=dict(auth) if auth else None
            )
        except (DockerException, RequestException) as error:
            answers.put(error)
        else:
            answers.put(None)

    threading.Thread(target=ask, name="docker-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise problems.pull_failed(
            reference, f"its registry did not answer within {seconds:g} s: i/o timeout"
        ) from None
    if isinstance(answer, APIError) and answer.status_code not in _SAYS_NOTHING:
        raise answer


_SAYS_NOTHING = frozenset({404, 405, 501})
"""Answers of engines that cannot ask a registry (Podman); the pull then tells."""


def _stored(inspected: Mapping[str, Any], repository: str = "") -> Stored:
    config = inspected.get("Config") or {}
    ours = without_tag(repository)
    known = (str(each).partition("@") for each in inspected.get("RepoDigests") or ())
    digests = [digest for name, _, digest in known if same_repository(name, ours)]
    image = str(inspected["Id"])
    return Stored(image, str(config.get("User") or ""), digests[0] if digests else image)


def build(
    client: "APIClient",
    name: str,
    what: str,
    context: Context,
    owner: Owner,
    say: Say,
    *,
    steps: bool = True,
) -> Stored:
    """An image made of *context* and called *name*; *what* names it in errors.

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
        for line in build_output(client, name, what, context.dockerfile, archive, labels):
            output.append(line)
            if steps and not any(word in line for word in _OURS):
                say(line)
            if (share := _share(line)) is not None:
                say(f"building {name} from {what}", share)
            if line.startswith(FAILED):
                raise problems.build_failed(what, line.removeprefix(FAILED), output[:-1])
    found = find_image(client, name)
    if found is None:
        raise problems.build_failed(what, "the engine built no image", output)
    return found


def _share(line: str) -> float | None:
    """How much of a build is done when it prints *line*, which begins a step."""
    found = _STEP.match(line)
    # Before its first step there is nothing to tell.
    return (int(found[1]) - 1) / int(found[2]) or None if found else None


_STEP = re.compile(r"Step (\d+)/(\d+) : ")
FAILED = "error: "
_OURS = ("Successfully ", " : LABEL knlite.dev/")
"""Of the output, what the author of a Dockerfile did not write."""


def build_output(
    client: "APIClient",
    name: str,
    what: str,
    dockerfile: str,
    archive: IO[bytes],
    labels: dict[str, str],
) -> Iterator[str]:
    """Build what *archive* holds; the lines of its output, one with FAILED before it if it fails.

    Raises ``InstanceFailed`` if the engine does not even begin.
    """
    from docker.errors import DockerException

    try:
        steps = client.build(
            fileobj=archive,
            custom_context=True,
            dockerfile=dockerfile,
            tag=name,
            labels=labels,
            rm=True,
            # Without it a step that fails leaves its container behind.
            forcerm=True,
            decode=True,
        )
        for step in steps:
            if "error" in step:
                yield FAILED + str(step["error"])
            for line in str(step.get("stream", "")).splitlines():
                if line.strip() and not line.startswith((" --->", "Removing intermediate")):
                    yield line.rstrip()
    except DockerException as error:
        raise problems.build_failed(what, problems.engine_says(error), []) from error
    except json.JSONDecodeError as error:
        raise problems.build_failed(what, f"the engine's answer is cut off: {error}", []) from error


def _built(client: "APIClient", name: str, digest: str) -> Stored | None:
    current = inspect(client, name)
    labels = (current or {}).get("Config", {}).get("Labels") or {}
    if current is not None and labels.get(CONTEXT) == digest:
        return _stored(current)
    for image in client.images(filters={"label": f"{CONTEXT}={digest}"}):
        found = str(image["Id"])
        client.tag(found, *parted(name))
        return find_image(client, found)
    return None


def inspect(client: "APIClient", reference: str) -> dict[str, Any] | None:
    """What the engine says of an image that it holds. Raises ``InstanceFailed``."""
    from docker.errors import APIError, ImageNotFound

    try:
        # The stubs leave this one method without types.
        found: dict[str, Any] = client.inspect_image(reference)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None
    except APIError as error:
        raise problems.pull_failed(reference, problems.engine_says(error)) from error
    return found


def parted(name: str) -> tuple[str, str]:
    """The repository and the tag of *name*, which has no digest."""
    repository, _, tag = name.rpartition(":") if _tag(name) is None else (name, "", "latest")
    return repository, tag


def is_called(inspected: Mapping[str, Any], name: str) -> bool:
    """Whether an image that the engine has described has that *name*."""
    full = ":".join(parted(name))
    return any(str(each) == full for each in inspected.get("RepoTags") or ())


def _tag(reference: str) -> str | None:
    """``latest`` for a reference without tag or digest: asked without one, engines pull all."""
    return None if ":" in reference.rpartition("/")[2] or "@" in reference else "latest"
