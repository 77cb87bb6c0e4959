"""SinkBinding: tells workloads where to send their events, through K_SINK.

Source: knative/eventing ``pkg/apis/sources/v1/sinkbinding_*.go``, knative/pkg
``tracker/interface.go`` (subject); Eventing reference §8.
"""

import re

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import destination
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    both,
    invalid,
    missing,
    neither,
    under,
)
from knlite.kinds.meta import Fields, Object
from knlite.kinds.names import label_1123_problems, qualified_name_problems
from knlite.kinds.objectname import name_errors
from knlite.kinds.selectors import LabelSelector, problems
from knlite.kinds.sources.source import (
    OIDC_IDENTITY_CREATED,
    SINK_PROVIDED,
    CloudEventOverrides,
    SourceStatus,
    overrides_validated,
)

SINK_BINDING_AVAILABLE = "SinkBindingAvailable"
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

_C_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_C_IDENTIFIER_TEXT = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of"
    " alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for"
    " validation is '[A-Za-z_][A-Za-z0-9_]*')"
)


class Subject(Fields):
    """The workloads to bind: one by name, or all that a selector matches."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    selector: LabelSelector | None = None


class SinkBindingSpec(Fields):
    subject: Subject = Subject()
    sink: Destination = Destination()
    ce_overrides: CloudEventOverrides | None = None


class SinkBindingStatus(SourceStatus):
    oidc_token_secret_name: str | None = None


class SinkBinding(Object):
    """Binds workloads to a sink."""

    spec: SinkBindingSpec = SinkBindingSpec()
    status: SinkBindingStatus = SinkBindingStatus()


def defaulted(obj: SinkBinding, old: SinkBinding | None, config: Config) -> SinkBinding:
    """*obj* with its own namespace for the subject and the sink."""
    namespace = obj.metadata.namespace
    subject = obj.spec.subject
    if not subject.namespace:
        subject = msgspec.structs.replace(subject, namespace=namespace)
    sink = destination.defaulted(obj.spec.sink, namespace)
    spec = msgspec.structs.replace(obj.spec, subject=subject, sink=sink)
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: SinkBinding, old: SinkBinding | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults. Everything may change."""
    subject = obj.spec.subject
    errors: list[FieldError] = list(name_errors(obj))
    errors.extend(under("spec.subject", _subject_validated(subject)))
    if subject.namespace not in {"", obj.metadata.namespace}:
        errors.append(invalid(subject.namespace, "spec.subject.namespace"))
    errors.extend(under("spec.sink", destination.validated(obj.spec.sink, config.eventing.enabled)))
    errors.extend(under("spec.ceOverrides", overrides_validated(obj.spec.ce_overrides)))
    return tuple(errors)


def _subject_validated(subject: Subject) -> Errors:
    errors: list[FieldError] = []
    for path, value, found in (
        ("apiVersion", subject.api_version, qualified_name_problems(subject.api_version)),
        ("kind", subject.kind, _kind_problems(subject.kind)),
        ("namespace", subject.namespace, label_1123_problems(subject.namespace)),
    ):
        if not value:
            errors.append(missing(path))
        elif found:
            errors.append(invalid(", ".join(found), path))
    if subject.selector is not None and subject.name:
        errors.append(both("selector", "name"))
    elif subject.selector is not None:
        if found := problems(subject.selector):
            errors.append(invalid(", ".join(found), "selector"))
    elif subject.name:
        if found := label_1123_problems(subject.name):
            errors.append(invalid(", ".join(found), "name"))
    else:
        errors.append(neither("selector", "name"))
    return tuple(errors)


def _kind_problems(kind: str) -> tuple[str, ...]:
    return () if _C_IDENTIFIER.fullmatch(kind) else (_C_IDENTIFIER_TEXT,)
