"""The front desk: the only way in for objects, whoever brings them.

decode (``kinds/catalog.py``) → mutate → default → validate → commit → notify. All of it is
synchronous: when a call returns, the object is stored and everybody has been told. Whoever is told
must only take note and act later.

Source: Kubernetes API conventions (generation, resourceVersion, finalizers, background deletion).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar, cast

import msgspec

from knlite.errors import Conflict, InvalidInput, NotFound
from knlite.kinds.admission import Admitted, Denied, admit, spec_of
from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import timestamp
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.fielderror import Errors, generic, rendered
from knlite.kinds.meta import Object, ObjectMeta, described
from knlite.reconcile import Key, View, key_of
from knlite.registry.configuration import Overrides, is_config, read_config
from knlite.registry.derived import Derivation, Derived, WholeView
from knlite.registry.recording import RecordingView
from knlite.registry.store import Store

O = TypeVar("O", bound=Object)  # noqa: E741  the field's letter for object

CONTROLLER = "system:serviceaccount:knative-serving:controller"
"""The user in whose name reconcilers write."""


class Refused(InvalidInput):
    """An object that admission denies; ``errors`` holds every reason."""

    def __init__(self, key: Key, errors: Errors) -> None:
        super().__init__(f"{key} is not valid", cause=rendered(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Notification:
    """What happened to one object. *old* is None for ``added``."""

    change: Literal["added", "modified", "deleted"]
    obj: Object
    old: Object | None


Listener = Callable[[Notification], None]

Mutator = Callable[[Object, View], Object]
"""A mutating webhook: the object about to be stored, to what will be stored instead."""


class Registry:
    """Objects of one run."""

    def __init__(
        self,
        *,
        wall: Callable[[], datetime],
        new_uid: Callable[[], str],
        overrides: Overrides,
        external_port: int,
        mutators: tuple[Mutator, ...] = (),
        derivations: tuple[Derivation, ...] = (),
    ) -> None:
        """*overrides* win over stored ConfigMaps. Raises ``ConfigInvalid``.

        What follows from *derivations* can be read like what is stored, but not written.
        """
        self._wall = wall
        self._new_uid = new_uid
        self._mutators = mutators
        self._overrides = overrides
        self._external_port = external_port
        self._version = 0
        self._listeners: list[Listener] = []
        self._store = Store(read_config((), overrides, external_port))
        self._derivations = derivations
        self._derived = Derived(derivations)
        self._whole = WholeView(self._store, self._derived)

    @property
    def config(self) -> Config:
        """The configuration as it is now."""
        return self._store.config

    @property
    def version(self) -> int:
        """Counts the changes of this run; ``resourceVersion`` of lists."""
        return self._version

    @property
    def view(self) -> View:
        """All objects as they are now, also those that are computed."""
        return self._whole

    def recording_view(self) -> RecordingView:
        """All stored objects, noting what is read."""
        return RecordingView(self._store)

    def at(self, key: Key) -> Object | None:
        """The object at *key*."""
        return self._whole.at(key)

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Tell *listener* of every change while the context lasts."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def fork(self) -> "Registry":
        """The same objects in a registry of their own, to try changes on."""
        fork = Registry(
            wall=self._wall,
            new_uid=self._new_uid,
            overrides=self._overrides,
            external_port=self._external_port,
            mutators=self._mutators,
            derivations=self._derivations,
        )
        for obj in self._store.everything():
            fork._store.put(obj)
        fork._store.config = self._store.config
        return fork

    def create(self, obj: O, *, user: str) -> O:
        """Store a new object. Raises ``Refused``, ``Conflict`` (it exists)."""
        key = key_of(obj)
        if self._store.at(key) is not None:
            raise Conflict(f'{info_of(key.kind).resource} "{key.name}" already exists')
        self._require_namespace(obj)
        admitted = self._admit(obj, None, user).obj
        metadata = msgspec.structs.replace(
            admitted.metadata,
            uid=self._new_uid(),
            generation=1 if spec_of(obj) is not None else 0,
            creation_timestamp=timestamp(self._wall()),
            deletion_timestamp=None,
        )
        return cast("O", self._commit(admitted, metadata, None))

    def update(self, obj: O, *, user: str) -> O:
        """Replace spec and metadata of a stored object; its status stays.

        An update that changes nothing is not stored and nobody is told. Raises ``Refused``,
        ``NotFound``.
        """
        old = self._existing(key_of(obj))
        admitted = _with_status_of(old, self._admit(obj, old, user).obj)
        changed = spec_of(admitted) != spec_of(old)
        metadata = msgspec.structs.replace(
            admitted.metadata,
            uid=old.metadata.uid,
            resource_version=old.metadata.resource_version,
            generation=old.metadata.generation + changed,
            creation_timestamp=old.metadata.creation_timestamp,
            deletion_timestamp=old.metadata.deletion_timestamp,
        )
        if old.metadata.deletion_timestamp is not None and not metadata.finalizers:
            self._remove(old)
            return obj
        return cast("O", self._commit(admitted, metadata, old))

    def update_status(self, obj: Object) -> None:
        """Replace the status of a stored object; its spec and metadata stay.

        Nothing happens if the object is gone, or another one now has its name.
        """
        old = self._store.at(key_of(obj))
        if old is None or old.metadata.uid != obj.metadata.uid:
            return
        self._commit(_with_status_of(obj, old), old.metadata, old)

    def apply(self, obj: O, *, user: str) -> Literal["created", "configured", "unchanged"]:
        """Make the stored object say what *obj* says, as ``kubectl apply`` of a whole file.

        Labels, annotations and finalizers that others have added stay. Raises ``Refused``.
        """
        old = self._store.at(key_of(obj))
        if old is None:
            self.create(obj, user=user)
            return "created"
        metadata = msgspec.structs.replace(
            obj.metadata,
            labels={**old.metadata.labels, **obj.metadata.labels},
            annotations={**old.metadata.annotations, **obj.metadata.annotations},
            finalizers=old.metadata.finalizers,
            owner_references=old.metadata.owner_references,
        )
        new = self.update(msgspec.structs.replace(obj, metadata=metadata), user=user)
        same = new.metadata.resource_version == old.metadata.resource_version
        return "unchanged" if same else "configured"

    def delete(self, key: Key) -> None:
        """Delete an object and, in the background, what it owns; finalizers are waited for.

        Raises ``NotFound``.
        """
        old = self._existing(key)
        if old.metadata.finalizers:
            if old.metadata.deletion_timestamp is None:
                metadata = msgspec.structs.replace(
                    old.metadata, deletion_timestamp=timestamp(self._wall())
                )
                self._commit(old, metadata, old)
            return
        self._remove(old)

    def _admit(self, obj: Object, old: Object | None, user: str) -> Admitted:
        for mutate in self._mutators:
            obj = mutate(obj, self._store)
        match admit(obj, old, self.config, user):
            case Denied(errors):
                raise Refused(key_of(obj), errors)
            case Admitted() as admitted:
                self._check_config(admitted.obj)
                return admitted

    def _check_config(self, obj: Object) -> None:
        """Refuse a ``config-*`` ConfigMap that would not parse, as Knative's webhook does."""
        if isinstance(obj, ConfigMap) and is_config(obj):
            try:
                self._config_with(obj)
            except ConfigInvalid as exc:
                raise Refused(key_of(obj), (generic(str(exc), "data"),)) from exc

    def _config_with(self, changed: ConfigMap | None) -> Config:
        maps = {key_of(each): each for each in self._store.listed(ConfigMap, "")}
        if changed is not None:
            maps[key_of(changed)] = changed
        return read_config(maps.values(), self._overrides, self._external_port)

    def _require_namespace(self, obj: Object) -> None:
        namespace = obj.metadata.namespace
        if namespace and self._store.get(Namespace, "", namespace) is None:
            raise NotFound(f'namespaces "{namespace}" not found')

    def _existing(self, key: Key) -> Object:
        found = self._store.at(key)
        if found is None:
            raise NotFound(f'{info_of(key.kind).resource} "{key.name}" not found')
        return found

    def _commit(self, obj: Object, metadata: ObjectMeta, old: Object | None) -> Object:
        candidate = msgspec.structs.replace(obj, metadata=metadata)
        if candidate == old:
            return candidate
        self._version += 1
        stored = msgspec.structs.replace(
            candidate,
            metadata=msgspec.structs.replace(metadata, resource_version=str(self._version)),
        )
        self._store.put(stored)
        self._notify(Notification("added" if old is None else "modified", stored, old))
        return stored

    def _remove(self, obj: Object) -> None:
        self._store.remove(key_of(obj))
        self._version += 1
        self._derived.gone(self._store, obj, self._version)
        self._notify(Notification("deleted", obj, obj))
        if isinstance(obj, Namespace):
            doomed = [o for o in self._store.everything() if o.metadata.namespace == described(obj)]
        else:
            doomed = list(self._store.children(obj.metadata.uid))
        for child in doomed:
            # An earlier sibling may have taken it along.
            if self._store.at(key_of(child)) is not None:
                self.delete(key_of(child))

    def _notify(self, notification: Notification) -> None:
        if isinstance(notification.obj, ConfigMap) and is_config(notification.obj):
            self._store.config = self._config_with(None)
        for listener in tuple(self._listeners):
            listener(notification)


def _with_status_of(source: Object, obj: Object) -> Object:
    """*obj* with the status of *source*, for kinds that have one."""
    status = getattr(source, "status", None)
    return obj if status is None else msgspec.structs.replace(obj, status=status)
