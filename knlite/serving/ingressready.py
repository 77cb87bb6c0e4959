"""What an Ingress says of itself, as a condition of what it was made for.

Source: Knative reference §1.11, §1.13; knative/serving ``pkg/apis/serving/v1/route_lifecycle.go``,
``pkg/apis/serving/v1beta1/domainmapping_lifecycle.go``.
"""

from knlite.kinds.conditions import ConditionEditor, find
from knlite.kinds.serving.ingress import Ingress
from knlite.kinds.serving.route import INGRESS_READY

TLS_NOT_ENABLED = "external-domain-tls is not enabled"
_NOT_CONFIGURED = "Ingress has not yet been reconciled."


def not_configured(editor: ConditionEditor) -> None:
    """There is no word of the Ingress yet."""
    editor.unknown(INGRESS_READY, "IngressNotConfigured", _NOT_CONFIGURED)


def cannot_be(editor: ConditionEditor, why: str) -> None:
    """No Ingress can be made."""
    editor.false(INGRESS_READY, "IngressNotConfigured", why)


def as_said_by(editor: ConditionEditor, ingress: Ingress, stored: Ingress | None) -> None:
    """What *ingress* says, unless that is of another spec: *stored* is what there is of it now."""
    ready = find(ingress.status.conditions)
    current = ingress.status.observed_generation == ingress.metadata.generation
    if stored is None or ingress.spec != stored.spec or ready is None or not current:
        not_configured(editor)
    else:
        editor.copy(INGRESS_READY, ready)
