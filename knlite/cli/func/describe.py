"""``knlite func describe``: one function that a running knlite has.

Source: Knative Functions reference §4.3; knative/func pkg/knative/describer.go, cmd/describe.go.
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
from knlite.errors import InvalidInput, NotFound
from knlite.settings import environment

Description = dict[str, Any]


def show(name: str, path: Path | None, namespace: str, output: str, admin_port: int) -> None:
    """Print the function called *name*, or the one in *path*.

    Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    name, namespace = wanted(name, path, namespace)
    client = Client(admin_port)
    service = deployed(client, name, namespace)
    triggers = client.listed(resolve("trigger", "")[0], namespace)
    revisions = client.listed(resolve("revision", "")[0], namespace)
    sys.stdout.write(written(described(service, revisions, triggers), output))


def wanted(name: str, path: Path | None, namespace: str) -> tuple[str, str]:
    """The name and the namespace that a name, or else a function's folder, stand for."""
    environ = environment()
    if name and path is not None:
        raise InvalidInput("cannot specify both name and path")
    if name:
        return name, namespace_of(None, namespace, environ)
    if namespace:
        raise InvalidInput("must also specify a name when specifying namespace")
    func = open_function(path, "describe").func
    return func.name, namespace_of(func, "", environ)


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
    """All that is said of it, with func's names."""
    metadata, status = service["metadata"], service.get("status", {})
    latest = status.get("latestCreatedRevisionName", "")
    revision = next((each for each in revisions if each["metadata"]["name"] == latest), service)
    url = status.get("url", "")
    return {
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
            if _reaches(trigger, metadata["name"])
            for attributes in [trigger["spec"].get("filter", {}).get("attributes", {})]
        ],
        "labels": dict(metadata.get("labels", {})),
        "revision": latest,
        "generation": metadata.get("generation", 0),
        "ready": ready_of(service).lower(),
    }


def written(found: Description, output: str) -> str:
    """*found* as ``human``, ``plain``, ``json``, ``yaml`` or ``url``."""
    if output == "json":
        return json.dumps(found) + "\n"
    if output == "yaml":
        import yaml

        return str(yaml.safe_dump(found, sort_keys=False))
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


def _reaches(trigger: Mapping[str, Any], name: str) -> bool:
    reference = trigger["spec"].get("subscriber", {}).get("ref") or {}
    return reference.get("name") == name and reference.get("kind") == "Service"
