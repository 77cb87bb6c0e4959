"""What all sources share: what they set on events, and what their status says.

Source: knative/pkg ``apis/duck/v1/source_types.go``; Eventing reference §8.
"""

import re
from collections.abc import Mapping

import msgspec

from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import Conditions
from knlite.kinds.fielderror import Errors, invalid_key
from knlite.kinds.meta import Fields

SINK_PROVIDED = "SinkProvided"
DEPLOYED = "Deployed"
OIDC_IDENTITY_CREATED = "OIDCIdentityCreated"

_EXTENSION = re.compile(r"[A-Za-z0-9]+", re.ASCII)


class CloudEventOverrides(Fields):
    """Extensions that a source sets on every event it sends."""

    extensions: Mapping[str, str] = msgspec.field(default_factory=dict)


class CloudEventAttributes(Fields):
    """Type and source of events that a source sends."""

    type: str = ""
    source: str = ""


class SourceStatus(Fields):
    """Where a source sends to, and what."""

    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    sink_uri: str = ""
    sink_ca_certs: str | None = msgspec.field(default=None, name="sinkCACerts")
    sink_audience: str | None = None
    ce_attributes: tuple[CloudEventAttributes, ...] = ()
    auth: AuthStatus | None = None


def overrides_validated(overrides: CloudEventOverrides | None) -> Errors:
    """What is wrong with the extensions of a source; paths are relative to *overrides*."""
    return tuple(
        invalid_key(
            key,
            "extensions",
            "keys are expected to be alphanumeric" if key else "keys MUST NOT be empty",
        )
        for key in (() if overrides is None else overrides.extensions)
        if not _EXTENSION.fullmatch(key)
    )
