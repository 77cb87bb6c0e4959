"""The front desk: the only way in for objects, whoever brings them.

decode (``kinds/catalog.py``) → mutate → default → validate → commit → notify. All of it is
synchronous: when a call returns, the object is stored and everybody has been told. Whoever is told
must only take note and act later.

Source: Kubernetes API conventions (generation, resourceVersion, finalizers, background deletion).
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypeVar, cast

import msgspec

from knlite.errors import AlreadyExists, Forbidden, NotFound
from knlite.kinds.admission import spec_of
from knlite.kinds.catalog import info_of, tree_of
from knlite.kinds.conditions import timestamp
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object, ObjectMeta, controller_of
from knlite.kinds.patch.apply import ApplyPatch
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.patch.strategic import StrategicPatch
from knlite.kinds.users import SERVING_CONTROLLER
from knlite.reconcile import Key, View, key_of
from knlite.registry.admission import Admission, Mutator, Refused, Validator
from knlite.registry.commits import Commits, Listener, Notification
from knlite.registry.configmaps import Overrides, read_config
from knlite.registry.deletion import Deletion, Propagation, require_mortal
from knlite.registry.derived import Derivation
from knlite.registry.fieldmanagement import owned_after, read_applied, resetting, with_times_of
from knlite.registry.fieldvalidation import read_patched, require_same_name
from knlite.registry.generatename import generated, random_suffix
from knlite.registry.preconditions import (
    require_current,
    require_no_new_finalizers,
    require_undeleted,
    require_unversioned,
)
from knlite.registry.recordingview import RecordingView
from knlite.registry.store import Index, Store
from knlite.registry.watch import Predicate, Watch
from knlite.registry.write import PLAIN, Write

__all__ = [
    "CONTROLLER",
    "Listener",
    "Mutator",
    "Notification",
    "Patch",
    "Refused",
    "Registry",
    "Subresource",
]

T = TypeVar("T", bound=Object)

CONTROLLER = SERVING_CONTROLLER
"""The user in whose name reconcilers write."""

Patch = JsonPatch | MergePatch | StrategicPatch | ApplyPatch

Subresource = Literal["", "status"]


class Registry:
    """Objects of one run."""

    def __init__(
        self,
        *,
        wall: Callable[[], datetime],
        new_uid: Callable[[], str],
        overrides: Overrides,
        external_port: int,
        external_tls_port: int = 8443,
        durable: bool = False,
        mutators: tuple[Mutator, ...] = (),
        validators: tuple[Validator, ...] = (),
        derivations: tuple[Derivation, ...] = (),
        new_suffix: Callable[[], str] = random_suffix,
    ) -> None:
        """*overrides* win over stored ConfigMaps. Raises ``ConfigInvalid``.

        What follows from *derivations* can be read like what is stored, but not written.
        """
        self._wall = wall
        self._new_uid = new_uid
        self._new_suffix = new_suffix
        self._derivations = derivations
        config = read_config((), overrides, external_port, external_tls_port, durable=durable)
        self._store = Store(config)
        self._admission = Admission(
            store=self._store,
            overrides=overrides,
            external_port=external_port,
            external_tls_port=external_tls_port,
            durable=durable,
            mutators=mutators,
            validators=validators,
        )
        self._commits = Commits(self._store, derivations, self._admission.config, wall)
        self._deletion = Deletion(
            self._store, commit=self._commits.commit, remove=self._commits.remove, wall=wall
        )

    @property
    def config(self) -> Config:
        """The configuration as it is now."""
        return self._store.config

    @property
    def version(self) -> int:
        """Counts the changes of this run; ``resourceVersion`` of lists."""
        return self._commits.version

    @property
    def view(self) -> View:
        """All objects as they are now, also those that are computed."""
        return self._commits.view

    def next_version(self) -> int:
        """The version of something that is about to change and is not stored here."""
        return self._commits.next_version()

    def derived_changed(self, key: Key) -> None:
        """Tell those who watch that the computed object at *key* has changed, come or gone."""
        self._commits.derived_changed(key)

    def recording_view(self) -> RecordingView:
        """All stored objects, noting what is read."""
        return RecordingView(self._store)

    def at(self, key: Key) -> Object | None:
        """The object at *key*."""
        return self._commits.view.at(key)

    def lists_of(self, obj: Object) -> Iterable[Index]:
        """The lists that *obj* stands in, of those that anybody has read."""
        return self._store.lists_of(obj)

    def listening(self, listener: Listener) -> AbstractContextManager[None]:
        """Tell *listener* of every change while the context lasts."""
        return self._commits.listening(listener)

    def restore(self, objects: Iterable[Object], version: int) -> None:
        """Begin with *objects* of an earlier run, whose last version was *version*.

        Nobody is told: those who care are not there yet. Raises ``ConfigInvalid``.
        """
        self._commits.restore(objects, version)

    def announce(self) -> None:
        """Tell those who listen now of what has been restored, as if it were new."""
        self._commits.announce()

    def fork(self) -> "Registry":
        """The same objects in a registry of their own, to try changes on."""
        fork = Registry(
            wall=self._wall,
            new_uid=self._new_uid,
            overrides=self._admission.overrides,
            external_port=self._admission.external_port,
            external_tls_port=self._admission.external_tls_port,
            durable=self._admission.durable,
            mutators=self._admission.mutators,
            validators=self._admission.validators,
            derivations=self._derivations,
        )
        for obj in self._store.everything():
            fork._store.put(obj)
        fork._store.config = self._store.config
        return fork

    def create(self, obj: T, *, user: str, write: Write = PLAIN) -> T:
        """Store a new object.

        Raises ``Refused``, ``AlreadyExists``, ``NotFound`` (its namespace), ``Forbidden`` (its
        namespace is going), ``InvalidInput`` (it has a resourceVersion).
        """
        require_unversioned(obj)
        obj = self._named(obj)
        key = key_of(obj)
        self._admission.require_namespace(obj)
        # The name of what is computed is taken, too, for who does not know what is computed.
        taken = self._store.at(key) if user == CONTROLLER else self.at(key)
        if taken is not None:
            raise AlreadyExists(f'{info_of(key.kind).resource} "{key.name}" already exists')
        metadata = msgspec.structs.replace(
            obj.metadata,
            deletion_timestamp=None,
            deletion_grace_period_seconds=None,
            managed_fields=self._owned(obj, None, write),
        )
        obj = msgspec.structs.replace(obj, metadata=metadata)
        admitted = self._admission.admit(obj, None, user, write)
        metadata = msgspec.structs.replace(
            admitted.metadata,
            uid=self._new_uid(),
            generation=1 if spec_of(obj) is not None else 0,
            creation_timestamp=timestamp(self._wall()),
        )
        return cast("T", self._commit(admitted, metadata, None, write))

    def update(self, obj: T, *, user: str, write: Write = PLAIN, exact: bool = False) -> T:
        """Replace spec and metadata of a stored object; its status stays.

        An update that changes nothing is not stored and nobody is told. With *exact* (for clients)
        a uid or resourceVersion in *obj* must be that of the stored object. Raises ``Refused``,
        ``NotFound``, ``Conflict``, ``Invalid``.
        """
        key = key_of(obj)
        old = self._existing(key)
        if exact:
            require_current(key, old, obj.metadata.uid, obj.metadata.resource_version)
            require_no_new_finalizers(old, obj)
        wanted = _with_status_of(old, obj)
        metadata = msgspec.structs.replace(
            _completed(wanted, old), managed_fields=self._owned(wanted, old, write)
        )
        wanted = msgspec.structs.replace(wanted, metadata=metadata)
        admitted = _with_status_of(old, self._admission.admit(wanted, old, user, write))
        changed = spec_of(admitted) != spec_of(old)
        metadata = msgspec.structs.replace(
            admitted.metadata, generation=old.metadata.generation + changed
        )
        metadata = with_times_of(old, admitted, metadata)
        stored = self._commit(admitted, metadata, old, write)
        return cast("T", self._unheld(stored, write))

    def update_status(
        self, obj: T, *, user: str = CONTROLLER, write: Write = PLAIN, exact: bool = False
    ) -> T:
        """Replace the status of a stored object; its spec and metadata stay.

        Without *exact* nothing happens if the object is gone, or another one now has its name.
        With it (for clients) raises ``NotFound`` and ``Conflict``, as ``update``.
        """
        key = key_of(obj)
        old = self._store.at(key)
        if exact:
            old = self._existing(key)
            require_current(key, old, obj.metadata.uid, obj.metadata.resource_version)
        elif old is None or old.metadata.uid != obj.metadata.uid:
            return obj
        new = _with_status_of(obj, old)
        metadata = msgspec.structs.replace(
            old.metadata, managed_fields=self._owned(new, old, write, subresource="status")
        )
        return cast("T", self._commit(new, metadata, old, write))

    def patch(
        self,
        key: Key,
        patch: Patch,
        *,
        user: str,
        write: Write = PLAIN,
        subresource: Subresource = "",
        served: KindInfo | None = None,
    ) -> Object:
        """Change a stored object as *patch* says; an ``ApplyPatch`` creates what is absent.

        The patch is of the version *served*, or of the stored one; an ``ApplyPatch`` says itself.
        Raises what ``update`` raises, and ``Conflict`` with causes for fields that others own.
        """
        old = self._store.at(key)
        if isinstance(patch, ApplyPatch):
            now = timestamp(self._wall())
            obj = read_applied(key, patch, old, write, subresource, now)
            # The patch has settled who owns what.
            write = replace(write, manager="")
        else:
            old = self._existing(key)
            obj = read_patched(resetting(patch.applied_to(tree_of(old, served))), write)
        require_same_name(key, obj)
        if old is None and not subresource:
            return self.create(obj, user=user, write=write)
        if subresource == "status":
            return self.update_status(obj, user=user, write=write, exact=True)
        return self.update(obj, user=user, write=write, exact=True)

    def apply(
        self, obj: T, *, user: str, write: Write = PLAIN
    ) -> Literal["created", "configured", "unchanged"]:
        """Make the stored object say what *obj* says, as ``kubectl apply`` of a whole file.

        Labels, annotations and finalizers that others have added stay, and so does what others
        write into the spec of its kind. Raises ``Refused``.
        """
        old = self._store.at(key_of(obj))
        if old is None:
            self.create(obj, user=user, write=write)
            return "created"
        obj = info_of(type(obj)).adopted(obj, old)
        metadata = msgspec.structs.replace(
            obj.metadata,
            labels={**old.metadata.labels, **obj.metadata.labels},
            annotations={**old.metadata.annotations, **obj.metadata.annotations},
            finalizers=old.metadata.finalizers,
            owner_references=old.metadata.owner_references,
        )
        new = self.update(msgspec.structs.replace(obj, metadata=metadata), user=user, write=write)
        same = new.metadata.resource_version == old.metadata.resource_version
        return "unchanged" if same else "configured"

    def delete(
        self,
        key: Key,
        *,
        propagation: Propagation = "Background",
        lingering: bool = False,
        write: Write = PLAIN,
        uid: str = "",
        resource_version: str = "",
    ) -> Object:
        """Delete an object and, as *propagation* says, what it owns; finalizers are waited for.

        Returns its last state; with a deletion timestamp if something still holds it. *uid* and
        *resource_version* are preconditions. A namespace that is *lingering* keeps its contents
        until its reconciler lets go of it. Raises ``NotFound``, ``Conflict``, ``Forbidden``.
        """
        old = self._existing(key)
        require_undeleted(key, old, uid, resource_version)
        require_mortal(key)
        if write.dry_run:
            return self._deletion.terminating(old) if old.metadata.finalizers else old
        if lingering and isinstance(old, Namespace):
            return self._deletion.linger(old)
        return self._deletion.delete(old, propagation)

    def delete_collection(
        self,
        kind: type[T],
        namespace: str,
        *,
        predicate: Callable[[T], bool] | None = None,
        propagation: Propagation = "Background",
        write: Write = PLAIN,
    ) -> Sequence[T]:
        """Delete those of *kind* in *namespace* that *predicate* holds of; returns them."""
        doomed = [
            obj
            for obj in self._store.listed(kind, namespace)
            if predicate is None or predicate(obj)
        ]
        for obj in doomed:
            if self._store.at(key_of(obj)) is not None:
                self.delete(key_of(obj), propagation=propagation, write=write)
        return doomed

    def watch(
        self,
        kind: type[Object],
        namespace: str,
        *,
        since: int | None = None,
        predicate: Predicate | None = None,
    ) -> Watch:
        """What happens to those of *kind* in *namespace* ("" means in all) from now on.

        Begins with what exists if *since* is None or 0, else after that version. Raises
        ``Expired``.
        """
        return self._commits.watch(kind, namespace, since or 0, predicate)

    def require_in_window(self, kind: type[Object], since: int) -> None:
        """Refuse a version from which *kind* cannot be watched. Raises ``Expired``."""
        self._commits.require_in_window(kind, since)

    def _named(self, obj: T) -> T:
        """*obj* with a name of its own, if it only says how that begins."""
        prefix = obj.metadata.generate_name
        if obj.metadata.name or not prefix:
            return obj
        while True:
            name = generated(prefix, self._new_suffix())
            metadata = msgspec.structs.replace(obj.metadata, name=name)
            named = msgspec.structs.replace(obj, metadata=metadata)
            if self._store.at(key_of(named)) is None:
                return named

    def _owned(
        self, obj: Object, old: Object | None, write: Write, *, subresource: Subresource = ""
    ) -> tuple[Any, ...]:
        """The managed fields of *obj* after *write*."""
        return owned_after(obj, old, write, subresource, self._wall())

    def _unheld(self, obj: Object, write: Write) -> Object:
        """Let *obj* go if its deletion waits and nothing holds it any more."""
        waits = obj.metadata.deletion_timestamp is not None
        if waits and not obj.metadata.finalizers and not write.dry_run:
            return self._deletion.finish(obj)
        return obj

    def _existing(self, key: Key) -> Object:
        found = self._store.at(key)
        if found is not None:
            return found
        resource = info_of(key.kind).resource
        computed = self.at(key)
        if computed is None:
            raise NotFound(f'{resource} "{key.name}" not found')
        raise Forbidden(
            f'{resource} "{key.name}" is forbidden: it follows from'
            f" {_owner_of(computed)} and cannot be changed itself"
        )

    def _commit(
        self, obj: Object, metadata: ObjectMeta, old: Object | None, write: Write = PLAIN
    ) -> Object:
        candidate = msgspec.structs.replace(obj, metadata=metadata)
        return candidate if write.dry_run else self._commits.commit(candidate, old)


def _owner_of(obj: Object) -> str:
    """What a computed object follows from, as far as it says it."""
    owner = controller_of(obj)
    return f'{owner.kind} "{owner.name}"' if owner is not None else "this run"


def _completed(obj: Object, old: Object) -> ObjectMeta:
    """The metadata of *obj* with what only the system writes taken from *old*.

    Not among it: managed fields (``fieldmanagement.py``).
    """
    mine, its = obj.metadata, old.metadata
    return msgspec.structs.replace(
        mine,
        uid=its.uid,
        resource_version=its.resource_version,
        generation=its.generation,
        creation_timestamp=its.creation_timestamp,
        deletion_timestamp=its.deletion_timestamp,
        deletion_grace_period_seconds=its.deletion_grace_period_seconds,
    )


def _with_status_of(source: Object, obj: Object) -> Object:
    """*obj* with the status of *source*, for kinds that have one."""
    status = getattr(source, "status", None)
    return obj if status is None else msgspec.structs.replace(obj, status=status)
