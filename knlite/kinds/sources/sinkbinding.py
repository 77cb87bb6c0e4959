"""SinkBinding: tells workloads where to send their events, through K_SINK.

Source: Eventing reference §8.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.meta import Fields, Object

SINK_BINDING_AVAILABLE = "SinkBindingAvailable"
SINK_PROVIDED = "SinkProvided"
OIDC_IDENTITY_CREATED = "OIDCIdentityCreated"
OIDC_TOKEN_SECRET_CREATED = "OIDCTokenSecretCreated"
TRUST_BUNDLE_PROPAGATED = "TrustBundlePropagated"

CONDITIONS = ConditionSet(
    (
        SINK_PROVIDED,
        SINK_BINDING_AVAILABLE,
        OIDC_IDENTITY_CREATED,
        OIDC_TOKEN_SECRET_CREATED,
        TRUST_BUNDLE_PROPAGATED,
    )
)

FINALIZER = "sinkbindings.sources.knative.dev"


class LabelSelectorRequirement(Fields):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(Fields):
    match_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


class Subject(Fields):
    """The workloads to bind: one by name, or all that a selector matches."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    selector: LabelSelector | None = None


class CloudEventOverrides(Fields):
    """Extensions that a source sets on every event it sends."""

    extensions: Mapping[str, str] = msgspec.field(default_factory=dict)


class SinkBindingSpec(Fields):
    subject: Subject = Subject()
    sink: Destination = Destination()
    ce_overrides: CloudEventOverrides | None = None


class SinkBindingStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    sink_uri: str = ""
    sink_ca_certs: str | None = msgspec.field(default=None, name="sinkCACerts")
    sink_audience: str | None = None
    ce_attributes: tuple[Any, ...] = ()
    auth: Any = None
    oidc_token_secret_name: str | None = None


class SinkBinding(Object):
    """Binds workloads to a sink."""

    spec: SinkBindingSpec = SinkBindingSpec()
    status: SinkBindingStatus = SinkBindingStatus()
