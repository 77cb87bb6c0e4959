"""Where objects are kept across runs: the port, the form of a record, and one side in memory.

A record carries the version of its form, so that a later knlite can read what an earlier one wrote.

Source: ``docs/adr/0012-objects-survive-a-restart.md``.
Not here: when something is written (``writebehind.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from knlite.errors import InvalidInput
from knlite.kinds.catalog import document, info_of, kind_named, read
from knlite.kinds.meta import Object
from knlite.reconcile import Key

FORM = 1
"""The form of the records that this knlite writes: a JSON document as clients see it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Names a record: ``services.serving.knative.dev``, namespace, name."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """One object as it is kept."""

    address: Address
    form: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changes that are kept together or not at all. *notes* are texts by name."""

    records: tuple[Record, ...] = ()
    gone: tuple[Address, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that an earlier run has left."""

    objects: tuple[Object, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


class Storage(Protocol):
    """Keeps batches. All of it blocks, and is called from one thread at a time."""

    def load(self) -> Kept:
        """What is kept. Raises ``InvalidInput`` if it cannot be understood."""
        ...

    def write(self, batch: Batch) -> None:
        """Keep *batch* as a whole. Raises ``Unreachable`` (no room, no permission)."""
        ...

    def close(self) -> None:
        """Give back what is held; nothing is written any more."""
        ...


class MemoryStorage:
    """Keeps records as long as it lives: the other side, for tests."""

    def __init__(self) -> None:
        self._records: dict[Address, Record] = {}
        self._notes: dict[str, str] = {}

    def load(self) -> Kept:
        """What is kept."""
        return kept(self._records.values(), self._notes)

    def write(self, batch: Batch) -> None:
        """Keep *batch* as a whole."""
        self._records.update((record.address, record) for record in batch.records)
        for address in batch.gone:
            self._records.pop(address, None)
        self._notes.update(batch.notes)

    def close(self) -> None:
        """Nothing is held."""


def address_of(key: Key) -> Address:
    """Where the object at *key* is kept."""
    return Address(info_of(key.kind).resource, key.namespace, key.name)


def keys_written(keys: Iterable[Key]) -> str:
    """*keys* as a note."""
    rows = [[info_of(k.kind).api_version, info_of(k.kind).kind, k.namespace, k.name] for k in keys]
    return msgspec.json.encode(sorted(rows)).decode()


def keys_read(note: str) -> frozenset[Key]:
    """The keys in a note; those of kinds that there are no more are left out.

    Raises ``ValueError`` if it is no such note.
    """
    rows = msgspec.json.decode(note, type=list[tuple[str, str, str, str]])
    return frozenset(
        Key(info.key_type, namespace, name)
        for api_version, kind, namespace, name in rows
        if (info := kind_named(api_version, kind)) is not None
    )


def record_of(key: Key, obj: Object) -> Record:
    """*obj*, which is at *key*, as it is kept."""
    return Record(address_of(key), FORM, msgspec.json.encode(document(obj)))


def kept(records: Iterable[Record], notes: Mapping[str, str]) -> Kept:
    """What *records* and *notes* say. Raises ``InvalidInput``, naming the record."""
    return Kept(tuple(map(_object, records)), dict(notes))


def damaged(what: str, why: str) -> InvalidInput:
    """The error for *what* an earlier run has kept and nobody can read, because of *why*."""
    return InvalidInput(
        "what an earlier run has kept cannot be read",
        cause=f"{what} is damaged: {why}",
        fix="restore a copy of the --data-dir, or move it away and apply the manifests again",
    )


def _object(record: Record) -> Object:
    if record.form > FORM:
        raise InvalidInput(
            "what an earlier run has kept cannot be read",
            cause=f"{_named(record)} was written by a newer knlite (form {record.form})",
            fix="use that knlite, or another --data-dir",
        )
    try:
        found = read(msgspec.json.decode(record.body), strict=False)
    except (ValueError, RecursionError) as exc:
        raise damaged(_named(record), str(exc)) from exc
    if found.value is None:
        raise damaged(_named(record), "; ".join(map(str, found.problems)))
    return found.value


def _named(record: Record) -> str:
    address = record.address
    where = f"{address.namespace}/{address.name}" if address.namespace else address.name
    return f"{address.resource} {where}"
