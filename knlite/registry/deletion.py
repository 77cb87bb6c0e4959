"""What goes with an object that goes: its children, its namespace's contents, or only the ties.

Everything that can go at once does. What finalizers hold keeps its deletion timestamp, and an owner
or a namespace that waits for it goes when the last of it has gone.

Source: Kubernetes garbage collection (owners and dependents, foreground, orphan) and namespace
lifecycle.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec

from knlite.errors import Forbidden
from knlite.kinds.catalog import info_of, kind_named
from knlite.kinds.conditions import timestamp
from knlite.kinds.core.namespace import LIFECYCLE, Namespace, NamespaceStatus
from knlite.kinds.meta import Object, OwnerReference
from knlite.reconcile import Key, key_of
from knlite.registry.store import Store

Propagation = Literal["Background", "Foreground", "Orphan"]

FOREGROUND = "foregroundDeletion"
"""The finalizer of an owner that waits for its children."""
IMMORTAL = frozenset(("default", "kube-system", "kube-public"))
TERMINATING = "Terminating"


def require_mortal(key: Key) -> None:
    """Refuse the deletion of the namespaces that every cluster has. Raises ``Forbidden``."""
    if key.kind is Namespace and key.name in IMMORTAL:
        raise Forbidden(f'namespaces "{key.name}" is forbidden: this namespace may not be deleted')


def require_open(obj: Object, namespace: Namespace) -> None:
    """Refuse new objects in a namespace that is going. Raises ``Forbidden``."""
    if namespace.metadata.deletion_timestamp is not None:
        resource, name = info_of(type(obj)).resource, namespace.metadata.name
        raise Forbidden(
            f'{resource} "{obj.metadata.name}" is forbidden: unable to create new content in'
            f" namespace {name} because it is being terminated"
        )


class Deletion:
    """Deletes from *store*. *commit* stores and tells; *remove* forgets and tells.

    What follows from a deletion is done one thing after another, not one within another: owners
    may stand in a row as long as anybody likes.
    """

    def __init__(
        self,
        store: Store,
        commit: Callable[[Object, Object], Object],
        remove: Callable[[Object], Object],
        wall: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._commit = commit
        self._remove = remove
        self._wall = wall
        self._following: deque[Callable[[], None]] = deque()
        self._at_work = False

    def delete(self, obj: Object, propagation: Propagation) -> Object:
        """Delete *obj*; returns its last state, or the state in which it waits."""
        if propagation == "Foreground" and self._store.children(obj.metadata.uid):
            waiting = self._waiting(obj, (*obj.metadata.finalizers, FOREGROUND))
            self._then(lambda: self._delete_children(waiting))
            return self._store.at(key_of(obj)) or waiting
        if obj.metadata.finalizers:
            return self._waiting(obj, obj.metadata.finalizers)
        if propagation == "Orphan":
            for child in self._store.children(obj.metadata.uid):
                self._untie(child, obj.metadata.uid)
        return self.finish(obj)

    def linger(self, obj: Namespace) -> Object:
        """Have the namespace *obj* on its way, with all that is in it still there."""
        if LIFECYCLE in obj.metadata.finalizers or obj.metadata.deletion_timestamp is not None:
            return obj
        return self._waiting(obj, (*obj.metadata.finalizers, LIFECYCLE))

    def finish(self, obj: Object) -> Object:
        """Remove *obj*, which nothing holds any more, and then what it leaves behind."""
        if isinstance(obj, Namespace) and not self._empty(obj):
            return self._store.at(key_of(obj)) or obj
        gone = self._remove(obj)
        self._then(lambda: self._let_go(obj))
        return gone

    def terminating(self, obj: Object) -> Object:
        """*obj* as it waits for what holds it."""
        meta = obj.metadata
        metadata = msgspec.structs.replace(
            meta,
            deletion_timestamp=meta.deletion_timestamp or timestamp(self._wall()),
            deletion_grace_period_seconds=0,
            generation=meta.generation + (meta.generation > 0 and meta.deletion_timestamp is None),
        )
        if isinstance(obj, Namespace):
            obj = msgspec.structs.replace(obj, status=NamespaceStatus(phase=TERMINATING))
        return msgspec.structs.replace(obj, metadata=metadata)

    def _then(self, do: Callable[[], None]) -> None:
        """Do it after what is being done; returns when all is done, unless within something."""
        self._following.append(do)
        if self._at_work:
            return
        self._at_work = True
        try:
            while self._following:
                self._following.popleft()()
        finally:
            self._following.clear()
            self._at_work = False

    def _let_go(self, obj: Object) -> None:
        """Do what follows from the end of *obj*."""
        for child in self._store.children(obj.metadata.uid):
            self._delete_child(child, obj, "Background")
        self._release_owners(obj)
        self._release_namespace(obj)

    def _delete_children(self, owner: Object) -> None:
        """Delete the children of *owner*, which waits for them."""
        for child in self._store.children(owner.metadata.uid):
            self._delete_child(child, owner, "Foreground")
        self._release(self._store.at(key_of(owner)))

    def _waiting(self, obj: Object, finalizers: tuple[str, ...]) -> Object:
        waiting = self.terminating(obj)
        metadata = msgspec.structs.replace(
            waiting.metadata, finalizers=tuple(dict.fromkeys(finalizers))
        )
        return self._commit(msgspec.structs.replace(waiting, metadata=metadata), obj)

    def _delete_child(self, child: Object, owner: Object, propagation: Propagation) -> None:
        now = self._store.at(key_of(child))
        if now is None or now.metadata.deletion_timestamp is not None:
            # An earlier sibling has taken it along, or it is waiting already.
            return
        uid = owner.metadata.uid
        if any(self._owner(each, now) for each in now.metadata.owner_references if each.uid != uid):
            self._untie(now, uid)
        else:
            self.delete(now, propagation)

    def _untie(self, child: Object, uid: str) -> None:
        references = tuple(each for each in child.metadata.owner_references if each.uid != uid)
        metadata = msgspec.structs.replace(child.metadata, owner_references=references)
        self._commit(msgspec.structs.replace(child, metadata=metadata), child)

    def _owner(self, reference: OwnerReference, child: Object) -> Object | None:
        """The living object that *reference* names."""
        info = kind_named(reference.api_version, reference.kind)
        if info is None:
            return None
        namespace = child.metadata.namespace if info.namespaced else ""
        owner = self._store.at(Key(info.key_type, namespace, reference.name))
        return owner if owner is not None and owner.metadata.uid == reference.uid else None

    def _release_owners(self, child: Object) -> None:
        for reference in child.metadata.owner_references:
            self._release(self._owner(reference, child))

    def _release(self, owner: Object | None) -> None:
        """Let *owner* go if it waits for its children and none of them blocks it any more."""
        if owner is None or FOREGROUND not in owner.metadata.finalizers:
            return
        uid = owner.metadata.uid
        if any(_blocks(each, uid) for each in self._store.children(uid)):
            return
        finalizers = tuple(each for each in owner.metadata.finalizers if each != FOREGROUND)
        metadata = msgspec.structs.replace(owner.metadata, finalizers=finalizers)
        released = msgspec.structs.replace(owner, metadata=metadata)
        if finalizers:
            self._commit(released, owner)
        else:
            self.finish(released)

    def _empty(self, namespace: Namespace) -> bool:
        """Whether nothing is left in *namespace*, after deleting all that goes."""
        name = namespace.metadata.name
        if not self._store.anything_inside(name):
            return True
        if namespace.metadata.deletion_timestamp is None:
            self._commit(self.terminating(namespace), namespace)
        for obj in self._store.inside(name):
            now = self._store.at(key_of(obj))
            if now is not None and now.metadata.deletion_timestamp is None:
                self.delete(now, "Background")
        # The last of them may have taken the namespace along.
        gone = self._store.at(key_of(namespace)) is None
        return not gone and not self._store.anything_inside(name)

    def _release_namespace(self, obj: Object) -> None:
        name = obj.metadata.namespace
        namespace = self._store.get(Namespace, "", name) if name else None
        if namespace is None or namespace.metadata.deletion_timestamp is None:
            return
        if not namespace.metadata.finalizers and not self._store.anything_inside(name):
            self.finish(namespace)


def _blocks(child: Object, uid: str) -> bool:
    return any(
        each.uid == uid and each.block_owner_deletion for each in child.metadata.owner_references
    )
