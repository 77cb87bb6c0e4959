"""What is said of a kind once, for everybody who serves, stores, lists or explains it.

Not here: which kinds there are (``catalog.py`` of each group).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from knlite.kinds.columns import Column
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors
from knlite.kinds.meta import Object

ObjectType = type[Object]

Defaulted = Callable[[Any, Any, Config], Any]
"""(object, the stored one or None, configuration) to the object with its defaults."""

Validated = Callable[[Any, Any, Config], Errors]
"""(object with defaults, the stored one or None, configuration) to what is wrong with it."""

Permitted = Callable[[Any, Any, str], Errors]
"""(object with defaults, the stored one or None, user) to what that user may not change."""

Adopted = Callable[[Any, Any], Any]
"""(the object of a manifest, the stored one) to it with what others have put into its spec."""

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
READ_ONLY = ("get", "list", "watch")


def group_version(group: str, version: str) -> str:
    """``serving.knative.dev/v1``, or ``v1`` for the core group."""
    return f"{group}/{version}" if group else version


def unchanged(obj: Any, _old: Any, _config: Config) -> Any:
    """*obj* as it is: its kind has no defaults."""
    return obj


def nothing_wrong(_obj: Any, _old: Any, _config: Config) -> Errors:
    """No errors: its kind has no rules."""
    return ()


def nothing_of_others(obj: Any, _old: Any) -> Any:
    """*obj* as it is: nobody but its author writes its spec."""
    return obj


def everybody(_obj: Any, _old: Any, _user: str) -> Errors:
    """No errors: whoever may write objects of its kind may change all of them."""
    return ()


Converted = Callable[[Any], Any]
"""An object of one version of its kind to one of another."""


def same(obj: Any) -> Any:
    """*obj* as it is: both versions have one shape."""
    return obj


def always_right(_obj: Any) -> Errors:
    """No errors: the rules of the stored version say it all."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVersion:
    """A version in which a kind is served beside the one that is stored."""

    version: str
    type: ObjectType | None = None
    """What its documents are read as; None if its shape is that of the stored version."""
    stored: Converted = same
    """An object of this version, as it is stored."""
    shown: Converted = same
    """A stored object, as this version shows it."""
    validated: Callable[[Any], Errors] = always_right
    """What is wrong with an object of this version that would not show any more once stored."""
    columns: tuple[Column, ...] | None = None
    """What a list shows of stored objects; None for the columns of the stored version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindInfo:
    """A kind: its names, how it is listed, its defaults and its rules."""

    type: ObjectType
    group: str
    version: str
    plural: str
    defaulted: Defaulted = unchanged
    validated: Validated = nothing_wrong
    permitted: Permitted = everybody
    adopted: Adopted = nothing_of_others
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    namespaced: bool = True
    kept: bool = True
    """Whether it outlives the run in a data folder; what only mirrors a running thing does not."""
    declared: bool = True
    """Whether people write it; the others come and go with what they belong to."""
    kind_name: str = ""
    """The kind where the class cannot have its name: core ``Service`` is ``KubernetesService``."""
    verbs: tuple[str, ...] = VERBS
    """What the API offers for it."""
    others: tuple[OtherVersion, ...] = ()
    """The versions that it is served in besides this one."""
    stored_type: ObjectType | None = None
    """What objects are stored as, where this is not the version that is stored."""
    stored: Converted = same
    shown: Converted = same
    validated_before: Callable[[Any], Errors] = always_right

    @property
    def key_type(self) -> ObjectType:
        """The type under which objects of the kind are stored."""
        return self.stored_type or self.type

    def served(self) -> "tuple[KindInfo, ...]":
        """The kind in all its versions, the stored one first."""
        return (self, *(self._in(each) for each in self.others))

    @property
    def kind(self) -> str:
        """``Service``, ``Trigger``, …"""
        return self.kind_name or self.type.__name__

    @property
    def custom(self) -> bool:
        """Whether a cluster knows it by a CustomResourceDefinition, as all of Knative's kinds."""
        return self.group.endswith("knative.dev")

    @property
    def has_status(self) -> bool:
        """Whether it has a ``status`` subresource."""
        return "status" in self.type.__struct_fields__

    @property
    def api_version(self) -> str:
        """``serving.knative.dev/v1``, ``v1``, …"""
        return group_version(self.group, self.version)

    @property
    def resource(self) -> str:
        """``services.serving.knative.dev``, ``secrets``, …"""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular(self) -> str:
        """``service``, ``trigger``, …"""
        return self.kind.lower()

    def _in(self, other: OtherVersion) -> "KindInfo":
        return replace(
            self,
            type=other.type or self.type,
            version=other.version,
            columns=self.columns if other.columns is None else other.columns,
            kind_name=self.kind,
            others=(),
            stored_type=self.type,
            stored=other.stored,
            shown=other.shown,
            validated_before=other.validated,
        )
