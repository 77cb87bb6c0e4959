"""EventTransform: changes events by a JSONata expression, on their way or in answer to a request.

Source: knative/eventing ``pkg/apis/eventing/v1alpha1/eventtransform_*.go``; Eventing reference §13.
Not here: whether an expression is one (``kinds/jsonata.py``); admission only warns if it is not.
"""

from collections.abc import Iterator

import msgspec

from knlite.kinds import jsonata
from knlite.kinds.addressable import Addressable
from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import destination
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY, AppliedPolicy
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import Errors, FieldError, both, generic, neither, under
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

TRANSFORMATION_READY = "TransformationReady"
ADDRESSABLE = "Addressable"

CONDITIONS = ConditionSet((TRANSFORMATION_READY, ADDRESSABLE, EVENT_POLICIES_READY))

JSONATA_DEPLOYMENT_READY = "JsonataDeploymentReady"
JSONATA_SINK_BINDING_READY = "JsonataSinkBindingReady"
"""What TransformationReady is made of; for information."""

_CA_CERTS_TEXT = (
    "CACerts for the sink is not supported for JSONata transformations, to propagate CA trust"
    " bundles use labeled ConfigMaps:"
    " https://knative.dev/docs/eventing/features/transport-encryption/"
    "#configure-additional-ca-trust-bundles"
)
_IMMUTABLE_TEXT = (
    "Transformations types are immutable, {}. Suggestion: create a new transformation, migrate"
    " services to the new one, and delete this transformation."
)
_ANOTHER_TYPE = "jsonata transformation cannot be changed to a different transformation type"
_TO_JSONATA = "transformation type cannot be changed to a jsonata transformation"


class JsonataTransformation(Fields):
    expression: str = ""


class ReplySpec(Fields):
    """What becomes of the sink's answer; it is handed on as it is where nothing is said."""

    jsonata: JsonataTransformation | None = None
    discard: bool | None = None


class EventTransformSpec(Fields):
    """Without a *sink* the result is the answer."""

    sink: Destination | None = None
    reply: ReplySpec | None = None
    jsonata: JsonataTransformation | None = None


class EventTransformStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    address: Addressable | None = None
    addresses: tuple[Addressable, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()
    sink_uri: str = ""
    sink_ca_certs: str | None = msgspec.field(default=None, name="sinkCACerts")
    sink_audience: str | None = None
    auth: AuthStatus | None = None


class EventTransform(Object):
    """A JSONata expression with an address."""

    spec: EventTransformSpec = EventTransformSpec()
    status: EventTransformStatus = EventTransformStatus()


def validated(obj: EventTransform, old: EventTransform | None, config: Config) -> Errors:
    """What is wrong with *obj*. Expressions and the sink may change, the type may not."""
    spec = obj.spec
    errors: list[FieldError] = list(name_errors(obj))
    if spec.jsonata is None:
        errors.append(neither("spec.jsonata"))
    if spec.sink is not None:
        errors.extend(under("spec.sink", _sink_validated(spec.sink, obj, config)))
    if spec.reply is not None:
        errors.extend(under("spec.reply", _reply_validated(spec.reply, spec.sink)))
    if old is not None and (old.spec.jsonata is None) != (spec.jsonata is None):
        # The two texts are exchanged upstream too.
        change = _ANOTHER_TYPE if old.spec.jsonata is None else _TO_JSONATA
        errors.append(generic(_IMMUTABLE_TEXT.format(change), "spec.jsonata"))
    errors.extend(
        FieldError(why, (path,), level="warning")
        for path, expression in expressions(spec)
        if (why := jsonata.problem(expression))
    )
    return tuple(errors)


def expressions(spec: EventTransformSpec) -> Iterator[tuple[str, str]]:
    """The expressions of *spec*, each with its path."""
    if spec.jsonata is not None:
        yield "spec.jsonata.expression", spec.jsonata.expression
    if spec.reply is not None and spec.reply.jsonata is not None:
        yield "spec.reply.jsonata.expression", spec.reply.jsonata.expression


def _sink_validated(sink: Destination, obj: EventTransform, config: Config) -> Errors:
    within = obj.metadata.namespace
    errors = list(destination.validated(sink, config.eventing.enabled, within))
    if sink.ca_certs is not None and obj.spec.jsonata is not None:
        errors.append(generic(_CA_CERTS_TEXT, "CACerts"))
    return tuple(errors)


def _reply_validated(reply: ReplySpec, sink: Destination | None) -> Errors:
    if sink is None:
        return (generic("reply is set without spec.sink", ""),)
    if reply.jsonata is not None and reply.discard:
        return (both("discard", "jsonata"),)
    return ()
