"""Identities: in whose name an object sends events, and to whom tokens for an object are addressed.

Nobody has one while ``authentication-oidc`` is off, and then nothing here reads or makes objects.

Source: knative/eventing ``pkg/auth/{serviceaccount,utils}.go``; Eventing reference §1.7, Eventing
data plane reference §8.
"""

from knlite.kinds.auth import AuthStatus
from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import controls, owned_by
from knlite.reconcile import Create, View

OFF = "authentication-oidc feature disabled"
FAILED = "Unable to resolve service account for OIDC authentication"
LABEL = "oidc"
"""Says that a ServiceAccount is such an identity."""


def audience_of(obj: Object, view: View) -> str | None:
    """To whom a token must be addressed that lets its bearer send to *obj*; None for nobody."""
    if not view.config.eventing.features.authentication:
        return None
    info, meta = info_of(type(obj)), obj.metadata
    return f"{info.group}/{info.kind}/{meta.namespace}/{meta.name}".lower()


def account_of(obj: Object) -> str:
    """The name of the ServiceAccount in whose name *obj* sends."""
    return account_named(type(obj), obj.metadata.name)


def account_named(kind: type[Object], name: str) -> str:
    """The same for the object of that kind and name."""
    info = info_of(kind)
    return child_name(name, f"-oidc-{info.group}-{info.kind}").lower()


def account_in(auth: AuthStatus | None) -> str:
    """The ServiceAccount that a status names; empty if there is none."""
    return (auth.service_account_name or "") if auth is not None else ""


def subject_of(namespace: str, account: str) -> str:
    """How policies and tokens name the ServiceAccount *account*."""
    return f"system:serviceaccount:{namespace}:{account}"


def identified(
    obj: Object, condition: str, conditions: ConditionEditor, view: View
) -> tuple[AuthStatus | None, tuple[Create, ...]]:
    """What ``status.auth`` of *obj* is to say, and the ServiceAccount if it is still missing.

    Marks *condition*. While identities are off there is neither.
    """
    if not view.config.eventing.features.authentication:
        conditions.true(condition, OFF)
        return None, ()
    name, namespace = account_of(obj), obj.metadata.namespace
    kind = info_of(type(obj)).kind
    found = view.get(ServiceAccount, namespace, name)
    if found is None:
        conditions.true(condition)
        text = f'Service Account for OIDC Authentication for {kind} "{obj.metadata.name}"'
        account = ServiceAccount(
            metadata=ObjectMeta(
                name=name,
                namespace=namespace,
                labels={LABEL: "enabled"},
                annotations={"description": text},
                owner_references=owned_by(obj),
            )
        )
        return AuthStatus(service_account_name=name), (Create(account),)
    if not controls(obj, found):
        text = f"service account {name} not owned by {kind}: {obj.metadata.name}"
        conditions.false(condition, FAILED, text)
        return None, ()
    conditions.true(condition)
    return AuthStatus(service_account_name=name), ()
