"""How a client wants something written, and what it must know of the stored object to be allowed.

Reconcilers write without any of this: they are run again when what they read has changed.

Source: Kubernetes API conventions (optimistic concurrency, dry run, generateName);
apiserver ``pkg/registry/rest`` (texts).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from knlite.errors import Cause, Conflict, Invalid, InvalidInput
from knlite.kinds.catalog import info_of
from knlite.kinds.meta import Object, ObjectMeta
from knlite.reconcile import Key, key_of

FieldValidation = Literal["Strict", "Warn", "Ignore"]

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_LONGEST_NAME = 63


def ignore(_text: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Write:
    """Everything about one write but the object.

    With *dry_run* all happens but storing and telling. *manager* is who will own the fields that
    change ("" means nobody). *warn* is told what did not refuse the object.
    """

    dry_run: bool = False
    manager: str = ""
    warn: Callable[[str], None] = ignore
    field_validation: FieldValidation = "Warn"


PLAIN = Write()
"""A write that counts, by nobody in particular."""


def random_suffix() -> str:
    """What completes a ``generateName``: letters and digits that make no words."""
    return "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(_SUFFIX_LENGTH))


def generated(prefix: str, suffix: str) -> str:
    """The name that *prefix* becomes."""
    return prefix[: _LONGEST_NAME - _SUFFIX_LENGTH] + suffix


def require_unversioned(obj: Object) -> None:
    """Refuse an object to be created that says it has been stored before."""
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
    """Refuse finalizers that come when the deletion is already under way."""
    if old.metadata.deletion_timestamp is None:
        return
    added = [each for each in obj.metadata.finalizers if each not in old.metadata.finalizers]
    if added:
        shown = ", ".join(f'"{each}"' for each in sorted(added))
        field = "metadata.finalizers"
        text = (
            "Forbidden: no new finalizers can be added if the object is being deleted, found new"
            f" finalizers []string{{{shown}}}"
        )
        raise invalid(key_of(obj), [Cause("FieldValueForbidden", text, field)])


def invalid(key: Key, causes: list[Cause]) -> Invalid:
    """The error for an object whose fields are wrong for *causes*, in Kubernetes' words."""
    info = info_of(key.kind)
    kind = f"{info.kind}.{info.group}" if info.group else info.kind
    texts = [
        f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes
    ]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return Invalid(f'{kind} "{key.name}" is invalid: {listed}', causes=causes)


def completed(obj: Object, old: Object) -> ObjectMeta:
    """The metadata of *obj* with what no client can change taken from *old*."""
    mine, its = obj.metadata, old.metadata
    return msgspec.structs.replace(
        mine,
        uid=its.uid,
        resource_version=its.resource_version,
        generation=its.generation,
        creation_timestamp=its.creation_timestamp,
        deletion_timestamp=its.deletion_timestamp,
        deletion_grace_period_seconds=its.deletion_grace_period_seconds,
        managed_fields=mine.managed_fields or its.managed_fields,
    )


def _outdated(key: Key, why: str) -> Conflict:
    resource = info_of(key.kind).resource
    return Conflict(f'Operation cannot be fulfilled on {resource} "{key.name}": {why}')
