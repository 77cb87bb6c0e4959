"""Addressable: where an object is reached, in the status of everything that events can go to.

Source: knative/pkg ``apis/duck/v1/addressable_types.go``.
"""

import msgspec

from knlite.kinds.meta import Fields


class Addressable(Fields):
    """Where an object is reached from inside the cluster."""

    name: str | None = None
    url: str = ""
    ca_certs: str | None = msgspec.field(default=None, name="CACerts")
    audience: str | None = None
