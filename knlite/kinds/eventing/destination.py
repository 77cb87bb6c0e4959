"""Destination: where events go, as a reference to an object or as a URL.

Source: knative/pkg ``apis/duck/v1/{destination,knative_reference}.go``; Eventing reference §1.3.
"""

import msgspec

from knlite.kinds.meta import Fields


class KReference(Fields):
    """Names an object, possibly in another namespace."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    api_version: str = ""
    group: str | None = None
    address: str | None = None


class Destination(Fields):
    """A reference, an absolute URL, or a reference and a URL relative to its address."""

    ref: KReference | None = None
    uri: str | None = None
    ca_certs: str | None = msgspec.field(default=None, name="CACerts")
    audience: str | None = None
