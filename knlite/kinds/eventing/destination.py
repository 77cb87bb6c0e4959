"""Destination: where events go, as a reference to an object or as a URL.

Source: knative/pkg ``apis/duck/v1/destination.go``; Eventing reference §1.3.
Not here: finding the address behind it (``knlite/eventing/destinations.py``).
"""

import binascii
import re
from base64 import b64decode
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from knlite.kinds.fielderror import Errors, generic, invalid, under
from knlite.kinds.kreference import (
    Enabled,
    KReference,
    reference_defaulted,
    reference_validated,
    shown,
)
from knlite.kinds.meta import Fields

_PEM_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,64})-----\s")


class Destination(Fields):
    """A reference, an absolute URL, or a reference and a URL relative to its address."""

    ref: KReference | None = None
    uri: str | None = None
    ca_certs: str | None = msgspec.field(default=None, name="CACerts")
    audience: str | None = None


D = TypeVar("D", bound=Destination)


def defaulted(destination: D, namespace: str) -> D:
    """*destination* with the namespace of its owner where the reference names none."""
    if destination.ref is None:
        return destination
    return msgspec.structs.replace(destination, ref=reference_defaulted(destination.ref, namespace))


def validated(destination: Destination, enabled: Enabled, within: str = "") -> Errors:
    """What is wrong with *destination*; paths are relative to it.

    The fields of a reference are looked at only when it stands alone, as upstream. It must lie in
    the namespace *within*, unless that is empty.
    """
    ref, uri = destination.ref, destination.uri
    if uri is None:
        if ref is None:
            return (generic("expected at least one, got none", "ref", "uri"),)
        return under("ref", reference_validated(ref, enabled, within))
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


def in_go(destination: Destination) -> str:
    """*destination* as it stands in errors that show a whole value.

    Differs: what a pointer leads to is shown, where upstream shows its address.
    """
    ref = "<nil>" if destination.ref is None else shown(destination.ref)
    rest = (each or "<nil>" for each in (destination.ca_certs, destination.audience))
    return f"{{{ref} {destination.uri or ''} {' '.join(rest)}}}"


def _ca_certs_validated(certs: str | None) -> Errors:
    if not certs:
        return ()
    begin = _PEM_BEGIN.search(certs)
    end = -1 if begin is None else certs.find(f"-----END {begin[1]}-----", begin.end())
    if begin is None or end < 0:
        return (invalid("CA Cert provided is invalid", "caCert"),)
    if begin[1] != "CERTIFICATE":
        return (invalid("CA Cert provided is not a certificate", "caCert"),)
    try:
        b64decode("".join(certs[begin.end() : end].split()), validate=True)
    except binascii.Error:
        return (invalid("CA Cert provided is invalid", "caCert"),)
    return ()
