"""Admission: defaulting, then validation, then who wrote it; one function for all kinds.

Source: Knative's mutating and validating webhooks; Knative reference §0.2, §1.2, Eventing §1.1.
Not here: storing (``registry/``).
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from knlite.kinds.catalog import info_of
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, merged, refusing
from knlite.kinds.meta import Object
from knlite.kinds.serving.catalog import SERVING
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.trial import trial_errors
from knlite.kinds.webhooks import OF_EVENTING

T = TypeVar("T", bound=Object)

_STAMPED = OF_EVENTING | {SERVING}
"""Groups whose objects carry the names of their authors: ``GROUP/creator``, …"""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The object as it will be stored, and what to tell its author all the same."""

    obj: Object
    warnings: Errors = ()


@dataclass(frozen=True, slots=True)
class Denied:
    """Everything that is wrong with the object."""

    errors: Errors


def admit(
    obj: Object, old: Object | None, config: Config, user: str, *, dry_run: bool = False
) -> Admitted | Denied:
    """Default and check *obj*, which *user* wants to store in the place of *old*.

    A trial run (*dry_run*) is also told what would only show when an instance starts.

    Differs: what is being deleted is stored as it is, unless its spec changes. Upstream looks at it
    once more when its finalizer is taken away, and so it never goes if the configuration does not
    allow it any more.
    """
    if old is not None and _is_leaving(old) and spec_of(obj) == spec_of(old):
        return Admitted(obj)
    info = info_of(type(obj))
    defaulted = info.defaulted(obj, old, config)
    if info.group in _STAMPED and info.declared and not _named_by_parent(obj):
        creator, last_modifier = f"{info.group}/creator", f"{info.group}/lastModifier"
        defaulted = _stamped(defaulted, old, creator, last_modifier, user)
    errors = merged(
        (*info.validated(defaulted, old, config), *info.permitted(defaulted, old, user))
    )
    refused = refusing(errors)
    if dry_run and not refused:
        refused = trial_errors(defaulted)
    return Denied(refused) if refused else Admitted(defaulted, errors)


def spec_of(obj: Object) -> object:
    """What ``metadata.generation`` counts changes of; None for kinds without a spec."""
    return getattr(obj, "spec", None)


def _is_leaving(obj: Object) -> bool:
    return obj.metadata.deletion_timestamp is not None


def _named_by_parent(obj: Object) -> bool:
    """Whether *obj* carries the names of its Service's authors, which its controller hands down."""
    return isinstance(obj, Configuration | Route) and bool(obj.metadata.owner_references)


def _stamped(obj: T, old: Object | None, creator: str, last_modifier: str, user: str) -> T:
    """*obj* with the names of who made it and of who changed its spec last.

    A creator that the author wrote is left in, for validation to refuse if it is another one.
    """
    if old is None:
        stamps = {creator: user, last_modifier: user}
    elif spec_of(obj) != spec_of(old):
        stamps = {**_among(old, creator), last_modifier: user, **_among(obj, creator)}
    else:
        stamps = {
            **_among(old, creator, last_modifier),
            **_among(obj, creator, last_modifier),
        }
    annotations = {**obj.metadata.annotations, **stamps}
    return msgspec.structs.replace(
        obj, metadata=msgspec.structs.replace(obj.metadata, annotations=annotations)
    )


def _among(obj: Object, *keys: str) -> dict[str, str]:
    found = obj.metadata.annotations
    return {key: found[key] for key in keys if key in found}
