"""Destination: where events go, as a reference to an object or as a URL.

Source: knative/pkg ``apis/duck/v1/{destination,knative_reference}.go``; Eventing reference §1.3.
Not here: finding the address behind it (``knlite/eventing/destinations.py``).
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from knlite.kinds.fielderror import Errors, disallowed, generic, invalid, missing, under
from knlite.kinds.meta import Fields

KREFERENCE_GROUP = "kreference-group"
"""Feature flag that allows ``group`` in references."""

Enabled = Callable[[str], bool]
"""Whether a feature flag of Eventing is on."""

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)


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


def defaulted(destination: Destination, namespace: str) -> Destination:
    """*destination* with the namespace of its owner where the reference names none."""
    if destination.ref is None:
        return destination
    return msgspec.structs.replace(destination, ref=reference_defaulted(destination.ref, namespace))


def reference_defaulted(ref: KReference, namespace: str) -> KReference:
    """*ref* in *namespace* unless it names another one."""
    return ref if ref.namespace else msgspec.structs.replace(ref, namespace=namespace)


def validated(destination: Destination, enabled: Enabled) -> Errors:
    """What is wrong with *destination*; paths are relative to it.

    The fields of a reference are looked at only when it stands alone, as upstream.
    """
    ref, uri = destination.ref, destination.uri
    if uri is None:
        if ref is None:
            return (generic("expected at least one, got none", "ref", "uri"),)
        return under("ref", reference_validated(ref, enabled))
    try:
        parts = urlsplit(uri)
    except ValueError:
        return (invalid(uri, "uri"),)
    scheme, host = parts.scheme, parts.hostname
    if ref is not None and scheme:
        return (
            generic(
                "Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present",
                "[apiVersion, kind, name]",
                "ref",
                "uri",
            ),
        )
    if ref is None and not (scheme and host):
        return (
            invalid(
                "Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent",
                "uri",
            ),
        )
    return _ca_certs_validated(destination.ca_certs)


def reference_validated(ref: KReference, enabled: Enabled) -> Errors:
    """What is wrong with *ref*; paths are relative to it."""
    errors = [
        missing(name) for name, value in (("name", ref.name), ("kind", ref.kind)) if not value
    ]
    if enabled(KREFERENCE_GROUP):
        errors.extend(_group_validated(ref))
    else:
        if ref.group:
            errors.append(disallowed("group"))
        if not ref.api_version:
            errors.append(missing("apiVersion"))
    return tuple(errors)


def group_of(ref: KReference) -> str:
    """The API group that *ref* means; empty for the core group."""
    return ref.group or ref.api_version.rpartition("/")[0]


def _group_validated(ref: KReference) -> Errors:
    if not ref.api_version and not ref.group:
        return (missing("apiVersion"), missing("group"))
    if ref.api_version and ref.group and ref.api_version.rpartition("/")[0] != ref.group:
        return (
            generic(
                "both apiVersion and group are specified and they refer to different API groups",
                "apiVersion",
                "group",
                details="Only one of them must be specified",
            ),
        )
    return ()


def _ca_certs_validated(certs: str | None) -> Errors:
    if not certs:
        return ()
    block = _PEM.search(certs)
    if block is None:
        return (invalid("CA Cert provided is invalid", "caCert"),)
    if block[1] != "CERTIFICATE":
        return (invalid("CA Cert provided is not a certificate", "caCert"),)
    try:
        b64decode("".join(block[2].split()), validate=True)
    except binascii.Error:
        return (invalid("CA Cert provided is invalid", "caCert"),)
    return ()
