"""Documents as people write them, with what a test does not care about filled in."""

from collections.abc import Mapping
from typing import Any


def service(
    name: str = "web",
    *,
    namespace: str = "default",
    image: str = "",
    pod: Mapping[str, object] | None = None,
    revision: Mapping[str, object] | None = None,
    metadata: Mapping[str, object] | None = None,
    **spec: object,
) -> dict[str, Any]:
    """A Service of one container with *image* (its own name), unless *pod* says more.

    *revision* is the metadata of the template, *metadata* is added to that of the Service.
    """
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, **(metadata or {})},
        "spec": {
            "template": {
                "metadata": dict(revision or {}),
                "spec": {"containers": [{"image": image or name}], **(pod or {})},
            },
            **spec,
        },
    }
