"""How a client is told that an object is refused: whose words they are, and with which code.

On a cluster an object passes the API server's own rules first (names; all rules of the kinds of
Kubernetes), which answer 422, then the webhooks of Serving or Eventing, which answer 400 and are
named in the text.

Source: Knative reference §0.2, Eventing reference §1.1; knative/serving ``cmd/webhook/main.go``,
knative-extensions/eventing-kafka-broker ``control-plane/cmd/webhook-kafka/main.go``,
knative-extensions/eventing-rabbitmq ``config/{broker,source}``, knative/pkg
``webhook/{configmaps,resourcesemantics}``; Kubernetes ``apimachinery`` (``api/errors``,
``util/validation/field``).
Not here: what is wrong (each kind's own module); the Status object (``apiserver/status.py``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from knlite.errors import Cause
from knlite.kinds.config.bundle import EVENTING_NAMESPACE, SERVING_NAMESPACE
from knlite.kinds.core.entries import IMMUTABLE, NOT_BASE64
from knlite.kinds.fielderror import (
    DISALLOWED,
    INVALID,
    INVALID_KEY,
    MISSING,
    Errors,
    FieldError,
    merged,
    rendered,
)
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import subdomain_1123_problems
from knlite.kinds.objectname import NO_NAME

SERVING_WEBHOOK: Final = "validation.webhook.serving.knative.dev"
EVENTING_WEBHOOK: Final = "validation.webhook.eventing.knative.dev"
_EXTENSIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("KafkaSource", "KafkaSink", "KafkaChannel"),
        "validation.webhook.kafka.eventing.knative.dev",
    ),
    "RabbitmqBrokerConfig": "validation.webhook.rabbitmq.eventing.knative.dev",
    "RabbitmqSource": "validation.webhook.rabbitmq.sources.knative.dev",
}
"""The webhooks of the kinds that extensions of Eventing bring."""
CONFIG_WEBHOOKS: Final = {
    SERVING_NAMESPACE: "config.webhook.serving.knative.dev",
    EVENTING_NAMESPACE: "config.webhook.eventing.knative.dev",
}

TRIAL: Final = "dry run failed with "
"""How the errors begin that only a trial run has (``serving/trial.py``)."""

SETTINGS: Final = "data"
"""The path of errors about what a ``config-*`` ConfigMap says; clients of a webhook see none."""

_KNATIVE: Final = ".knative.dev"
OF_EVENTING: Final = frozenset(
    f"{name}{_KNATIVE}" for name in ("eventing", "sources", "messaging", "flows", "sinks")
)
"""Groups that Eventing's webhooks and controllers look after."""


@dataclass(frozen=True, slots=True)
class Denial:
    """The refusal of an object as a client of the API sees it."""

    code: Literal[400, 422]
    reason: Literal["BadRequest", "Invalid"]
    message: str
    causes: tuple[Cause, ...] = ()


def denial(kind: str, group: str, meta: ObjectMeta, errors: Errors) -> Denial:
    """The refusal of the object *meta* of *kind* in *group* ("" for core) because of *errors*."""
    if group.endswith(_KNATIVE):
        misnamed = tuple(
            Cause("FieldValueInvalid", f'Invalid value: "{meta.name}": {problem}', "metadata.name")
            for problem in (subdomain_1123_problems(meta.name) if meta.name else ())
        )
        if misnamed:
            return _invalid(kind, group, meta.name, misnamed)
        return _denied(_webhook(kind, group), rendered(errors))
    webhook_of_config = CONFIG_WEBHOOKS.get(meta.namespace)
    if webhook_of_config and all(map(_of_settings, errors)):
        return _denied(webhook_of_config, "\n".join(error.message for error in errors))
    if any(error.message == NOT_BASE64 for error in errors):
        # On a cluster the values are bytes, and decoding them fails before any rule is asked.
        text = "illegal base64 data at input byte 0"
        return Denial(
            400, "BadRequest", f'{kind} in version "v1" cannot be handled as a {kind}: {text}'
        )
    causes = tuple(cause for error in merged(errors) for cause in _causes(error))
    return _invalid(kind, group, meta.name, causes)


def invalid_text(kind: str, group: str, name: str, causes: Sequence[Cause]) -> str:
    """How the API server says that the object *name* is invalid because of *causes*."""
    qualified = f"{kind}.{group}" if group else kind
    texts = [
        f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes
    ]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return f'{qualified} "{name}" is invalid: {listed}'


def _webhook(kind: str, group: str) -> str:
    """Who refuses objects of *kind* in *group*, which is one of Knative's."""
    if group not in OF_EVENTING:
        return SERVING_WEBHOOK
    return _EXTENSIONS.get(kind, EVENTING_WEBHOOK)


def _of_settings(error: FieldError) -> bool:
    return error.paths == (SETTINGS,) and error.message not in (IMMUTABLE, DISALLOWED)


def _denied(webhook: str, text: str) -> Denial:
    # What follows validation and only looks at trial runs has a word of its own.
    check = "validation callback" if text.startswith(TRIAL) else "validation"
    return Denial(
        400,
        "BadRequest",
        f'admission webhook "{webhook}" denied the request: {check} failed: {text}',
    )


def _invalid(kind: str, group: str, name: str, causes: tuple[Cause, ...]) -> Denial:
    return Denial(422, "Invalid", invalid_text(kind, group, name, causes), causes)


def _causes(error: FieldError) -> Iterable[Cause]:
    """*error* in Kubernetes' words, once for each of its paths."""
    details = f": {error.details}" if error.details else ""
    for path in error.paths or ("",):
        if error.message == MISSING:
            yield Cause("FieldValueRequired", f"Required value{details}", path)
        elif error.message == DISALLOWED:
            yield Cause("FieldValueForbidden", f"Forbidden{details}", path)
        elif error.message == IMMUTABLE:
            yield Cause("FieldValueForbidden", f"Forbidden: {IMMUTABLE}", path)
        elif error.message.startswith(INVALID):
            value = error.message.removeprefix(INVALID)
            yield Cause("FieldValueInvalid", f'Invalid value: "{value}"{details}', path)
        elif error.message.startswith(INVALID_KEY):
            value = error.message.removeprefix(INVALID_KEY)
            yield Cause("FieldValueInvalid", f"Invalid value: {value}{details}", path)
        elif error.message == NO_NAME:
            yield Cause("FieldValueRequired", f"Required value: {NO_NAME}", path)
        else:
            yield Cause("FieldValueInvalid", f"Invalid value: {error.message}{details}", path)
