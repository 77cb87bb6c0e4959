"""``knlite func describe``: one function that a running knlite has.

Source: Knative Functions reference §4.3; knative/func pkg/knative/describer.go, cmd/describe.go.
Differs: of a folder that was not deployed it shows what is called like it in the namespace where
it would be deployed; func shows nothing.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from knlite.cli.client import Client
from knlite.cli.func.defaults import namespace_of
from knlite.cli.func.listing import is_ours, ready_of
from knlite.cli.func.opened import open_function
from knlite.cli.words import resolve
from knlite.errors import NotFound
from knlite.functions.service import SERVING
from knlite.settings import environment

Description = dict[str, Any]


def show(name: str, path: Path | None, namespace: str, output: str, admin_port: int) -> None:
    """Print the function called *name*, or, with an empty one, the one in *path*.

    Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    func = None if name else open_function(path, "describe").func
    place = namespace_of(func, namespace, environment())
    found = description(Client(admin_port), func.name if func is not None else name, place)
    sys.stdout.write(written(found, output))


def description(client: Client, name: str, namespace: str) -> Description:
    """What a running knlite has of a function. Raises ``NotFound``, ``Unreachable``."""
    service = deployed(client, name, namespace)
    triggers = client.listed(resolve("trigger", "")[0], namespace)
    revisions = client.listed(resolve("revision", "")[0], namespace)
    return described(service, revisions, triggers)


def deployed(client: Client, name: str, namespace: str) -> dict[str, Any]:
    """The function's Service. Raises ``NotFound``, ``Unreachable``."""
    missing = NotFound(
        f'function "{name}" is not deployed in namespace "{namespace}"',
        fix="knlite func deploy, or look with: knlite func list --all-namespaces",
    )
    try:
        service = client.one(resolve("ksvc", "")[0], namespace, name)
    except NotFound:
        raise missing from None
    if not is_ours(service):
        raise missing
    return service


def described(
    service: Mapping[str, Any],
    revisions: Iterable[Mapping[str, Any]],
    triggers: Iterable[Mapping[str, Any]],
) -> Description:
    """All that is said of it: func's ``Instance``, with its names as JSON has them.

    Differs: ``middleware`` and ``revision`` are not there, which are labels of an image that the
    function's scaffolding and its git repository give it.
    """
    metadata, status = service["metadata"], service.get("status", {})
    latest = status.get("latestCreatedRevisionName", "")
    revision = next((each for each in revisions if each["metadata"]["name"] == latest), service)
    url = status.get("url", "")
    return {
        "Route": url,
        "routes": [url] if url else [],
        "name": metadata["name"],
        "image": _image(service, revision),
        "namespace": metadata["namespace"],
        "deployer": "knative",
        "subscriptions": [
            {
                "source": attributes.get("source", ""),
                "type": attributes.get("type", ""),
                "broker": trigger["spec"].get("broker", ""),
            }
            for trigger in triggers
            if _reaches(trigger, service)
            for attributes in [trigger["spec"].get("filter", {}).get("attributes", {})]
        ],
        "labels": dict(metadata.get("labels", {})),
        "generation": metadata.get("generation", 0),
        "ready": ready_of(service).lower(),
    }


def written(found: Description, output: str) -> str:
    """*found* as ``human``, ``plain``, ``json``, ``yaml`` or ``url``."""
    if output == "json":
        return json.dumps(found) + "\n"
    if output == "yaml":
        import yaml

        # The one name that Go's encoders disagree on.
        tree = {key.lower() if key == "Route" else key: value for key, value in found.items()}
        return str(yaml.safe_dump(tree, sort_keys=False))
    if output == "url":
        return "".join(f"{url}\n" for url in found["routes"][:1])
    lines = _plain(found) if output == "plain" else _human(found)
    return "".join(f"{line}\n" for line in lines)


def _human(found: Description) -> Iterator[str]:
    for head, values in (
        ("Function name:", [found["name"]]),
        ("Function is built in image:", [found["image"]]),
        ("Function is deployed in namespace:", [found["namespace"]]),
        ("Routes:", found["routes"]),
        ("Function is ready:", [found["ready"]]),
        ("Deployer:", [found["deployer"]]),
        ("Subscriptions (Source, Type, Broker):", _subscriptions(found)),
        ("Labels:", [f"{key}: {value}" for key, value in found["labels"].items()]),
    ):
        if values or head == "Routes:":
            yield head
            yield from (f"  {value}" for value in values)


def _plain(found: Description) -> Iterator[str]:
    yield f"Name {found['name']}"
    yield f"Image {found['image']}"
    yield f"Namespace {found['namespace']}"
    yield from (f"Route {url}" for url in found["routes"])
    yield f"Ready {found['ready']}"
    yield f"Deployer {found['deployer']}"
    yield from (f"Subscription {text}" for text in _subscriptions(found))
    yield from (f"Label {key} {value}" for key, value in found["labels"].items())


def _subscriptions(found: Description) -> list[str]:
    return [f"{each['source']} {each['type']} {each['broker']}" for each in found["subscriptions"]]


def _image(service: Mapping[str, Any], revision: Mapping[str, Any]) -> str:
    """With its digest where that is known."""
    for container in revision.get("status", {}).get("containerStatuses", ()):
        if container.get("imageDigest"):
            return str(container["imageDigest"])
    return str(service["spec"]["template"]["spec"]["containers"][0].get("image", ""))


def _reaches(trigger: Mapping[str, Any], service: Mapping[str, Any]) -> bool:
    """Whether *trigger* sends to *service*: by reference, or to its address.

    Differs: func compares names alone, and of addresses the path alone.
    """
    subscriber = trigger["spec"].get("subscriber", {})
    reference = subscriber.get("ref") or {}
    named = reference.get("name"), reference.get("kind"), reference.get("apiVersion")
    address = service.get("status", {}).get("address", {}).get("url", "")
    own = service["metadata"]["name"], "Service", SERVING
    return named == own or bool(address and subscriber.get("uri") == address)
