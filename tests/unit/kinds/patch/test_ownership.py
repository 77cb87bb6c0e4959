"""Owners of fields over many updates (Kubernetes "Server-Side Apply")."""

from knlite.kinds.patch.fieldset import Comparison
from knlite.kinds.patch.ownership import (
    ANCIENT,
    MAX_UPDATERS,
    Entry,
    Manager,
    after_update,
    entries_in,
    managed_fields,
    same_but_for_time,
)


def manager(name: str, operation: str = "Update", version: str = "v1") -> Manager:
    return Manager(name=name, operation=operation, api_version=version)


def adding(*names: str) -> Comparison:
    none = frozenset[tuple[str, ...]]()
    return Comparison(frozenset(("f:data", f"f:{name}") for name in names), none, none)


def test_an_applier_is_one_in_all_versions_and_an_updater_is_not() -> None:
    assert manager("m", "Apply").same(manager("m", "Apply", "v2"))
    assert not manager("m").same(manager("m", version="v2"))


def test_updates_of_one_manager_share_an_entry_with_the_newest_time() -> None:
    entries = after_update((), adding("a"), manager("m"), "1")
    entries = after_update(entries, adding("b"), manager("m"), "2")
    (entry,) = managed_fields(entries)
    assert entry["time"] == "2"
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}, "f:b": {}}}


def test_identity_belongs_to_nobody() -> None:
    paths = frozenset([("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:labels", "f:a")])
    change = Comparison(paths, frozenset(), frozenset())
    (entry,) = after_update((), change, manager("m"), "1")
    assert entry.fields == {("f:metadata", "f:labels", "f:a")}


def test_too_many_updaters_become_ancient_and_lose_nothing() -> None:
    entries: tuple[Entry, ...] = ()
    for number in range(30):
        entries = after_update(entries, adding(f"n{number}"), manager(f"m{number}"), f"{number:02}")
    assert len(entries) <= MAX_UPDATERS
    assert (
        frozenset().union(*(entry.fields for entry in entries))
        == adding(*(f"n{number}" for number in range(30))).added
    )
    assert ANCIENT in {entry.manager.name for entry in entries}


def test_entries_survive_their_form_and_times_can_be_left_out_of_account() -> None:
    entries = after_update((), adding("a"), manager("m"), "1")
    written = managed_fields(entries)
    assert entries_in(written) == entries
    later = managed_fields(after_update((), adding("a"), manager("m"), "2"))
    assert written != later
    assert same_but_for_time(written, later)
