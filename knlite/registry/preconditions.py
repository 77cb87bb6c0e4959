"""What a client must know of the stored object to be allowed to change it.

Source: Kubernetes API conventions (optimistic concurrency); apiserver ``pkg/registry/rest``.
Not here: whether the new object is a good one (``admission.py``).
"""

from knlite.errors import Cause, Conflict, Invalid, InvalidInput
from knlite.kinds.catalog import info_of
from knlite.kinds.meta import Object
from knlite.kinds.webhooks import invalid_text
from knlite.reconcile import Key


def require_unversioned(obj: Object) -> None:
    """Refuse an object to be created that says it has been stored before.

    Raises ``InvalidInput``.
    """
    if obj.metadata.resource_version:
        raise InvalidInput("resourceVersion should not be set on objects to be created")


def require_current(key: Key, old: Object, uid: str, resource_version: str) -> None:
    """Refuse what was meant for another object than *old*, or for an older state of it.

    Empty texts say nothing. Raises ``Conflict``.
    """
    meta = old.metadata
    if uid and uid != meta.uid:
        raise _outdated(
            key,
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta.uid}",
        )
    if resource_version and resource_version != meta.resource_version:
        raise _outdated(
            key,
            "the object has been modified; please apply your changes to the latest version and"
            " try again",
        )


def require_undeleted(key: Key, old: Object, uid: str, resource_version: str) -> None:
    """Refuse to delete another object than was meant, or another state of it.

    Empty texts say nothing. Raises ``Conflict``.
    """
    meta = old.metadata
    if uid and uid != meta.uid:
        raise _outdated(
            key,
            f"the UID in the precondition ({uid}) does not match the UID in record ({meta.uid})."
            " The object might have been deleted and then recreated",
        )
    if resource_version and resource_version != meta.resource_version:
        raise _outdated(
            key,
            f"the ResourceVersion in the precondition ({resource_version}) does not match the"
            f" ResourceVersion in record ({meta.resource_version})."
            " The object might have been modified",
        )


def require_no_new_finalizers(old: Object, obj: Object) -> None:
    """Refuse finalizers that come when the deletion is already under way. Raises ``Invalid``."""
    if old.metadata.deletion_timestamp is None:
        return
    added = set(obj.metadata.finalizers) - set(old.metadata.finalizers)
    if added:
        shown = ", ".join(f'"{each}"' for each in sorted(added))
        field = "metadata.finalizers"
        text = (
            "Forbidden: no new finalizers can be added if the object is being deleted, found new"
            f" finalizers []string{{{shown}}}"
        )
        causes = (Cause("FieldValueForbidden", text, field),)
        info = info_of(type(obj))
        named = invalid_text(info.kind, info.group, obj.metadata.name, causes)
        raise Invalid(named, causes=causes)


def _outdated(key: Key, why: str) -> Conflict:
    resource = info_of(key.kind).resource
    return Conflict(f'Operation cannot be fulfilled on {resource} "{key.name}": {why}')
