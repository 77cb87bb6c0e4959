"""What every storage of the registry promises, and what is left after a crash (ADR 0012)."""

import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.errors import Conflict, InvalidInput, KnliteError, Unreachable
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.pod import Pod
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification, Registry
from knlite.registry.sqlite import FILE, SqliteStorage
from knlite.registry.storage import (
    Address,
    Batch,
    MemoryStorage,
    Record,
    Storage,
    record_of,
)
from knlite.registry.writebehind import WriteBehind
from tests.unit.registry.desk import config_map, registry

Reopen = Callable[[], Storage]
"""Gives the storage as the next run finds it; the one before must be closed."""

X = Key(ConfigMap, "default", "x")


@pytest.fixture(params=["memory", "sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    memory, opened = MemoryStorage(), list[SqliteStorage]()

    def open_again() -> Storage:
        if request.param == "memory":
            return memory
        opened.append(SqliteStorage(tmp_path / "data"))
        return opened[-1]

    yield open_again
    for storage in opened:
        storage.close()


def kept(desk: Registry, storage: Storage) -> WriteBehind:
    def complain(text: str) -> None:
        raise AssertionError(text)

    return WriteBehind(desk, storage, complain)


def restored(storage: Storage) -> Registry:
    desk = empty()
    kept(desk, storage).restore()
    return desk


def empty() -> Registry:
    uids = count(100)
    return Registry(
        wall=lambda: datetime(2026, 1, 3, tzinfo=UTC),
        new_uid=lambda: f"uid-{next(uids)}",
        overrides={},
        external_port=8080,
    )


def test_the_next_run_finds_the_objects_and_goes_on_counting(reopen: Reopen) -> None:
    storage, desk = reopen(), registry()
    with kept(desk, storage).keeping():
        for obj in desk.view.listed(Namespace, ""):
            desk.update(
                Namespace(metadata=ObjectMeta(name=obj.metadata.name, labels={"a": "b"})),
                user="a",
            )
        stored = desk.create(config_map(k="v"), user="a")
        gone = desk.create(config_map("gone"), user="a")
        desk.delete(key_of(gone))
    storage.close()

    again = restored(reopen())
    assert again.at(X) == stored
    assert again.at(key_of(gone)) is None
    assert again.version == desk.version
    made = again.create(config_map("y"), user="a")
    assert int(made.metadata.resource_version) > desk.version


def test_who_listens_is_told_of_what_was_found_once(reopen: Reopen) -> None:
    storage, desk = reopen(), registry()
    with kept(desk, storage).keeping():
        stored = desk.create(config_map(k="v"), user="a")
    storage.close()
    again = restored(reopen())
    told: list[Notification] = []
    with again.listening(told.append):
        again.announce()
        again.announce()
    assert told == [Notification("added", stored, None)]


def test_what_only_mirrors_running_things_is_not_kept(reopen: Reopen) -> None:
    storage, desk = reopen(), registry()
    with kept(desk, storage).keeping():
        spec = PodSpec(containers=(Container(name="main", image="x"),))
        pod = Pod(metadata=ObjectMeta(name="p", namespace="default"), spec=spec)
        desk.create(pod, user="a")
    storage.close()
    assert reopen().load().objects == ()


def test_what_the_files_have_declared_is_remembered(reopen: Reopen) -> None:
    storage = reopen()
    keeper = kept(registry(), storage)
    with keeper.keeping():
        keeper.remember_applied(frozenset((X,)))
    storage.close()
    again = kept(empty(), reopen())
    again.restore()
    assert again.applied == {X}


def test_a_watch_from_before_the_restart_has_to_list_again(reopen: Reopen) -> None:
    storage, desk = reopen(), registry()
    with kept(desk, storage).keeping():
        desk.create(config_map(), user="a")
    storage.close()
    again = restored(reopen())
    with pytest.raises(KnliteError, match="too old resource version"):
        again.watch(ConfigMap, "", since=desk.version - 1)
    assert again.watch(ConfigMap, "", since=desk.version).available() == []


NAMES = st.sampled_from("abcd")


@settings(max_examples=30)
@given(
    batches=st.lists(st.tuples(st.lists(NAMES, max_size=3), st.lists(NAMES, max_size=2))),
    sqlite=st.booleans(),
)
def test_every_batch_is_kept_as_a_whole(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[tuple[list[str], list[str]]],
    sqlite: bool,
) -> None:
    folder = tmp_path_factory.mktemp("data")
    storage: Storage = SqliteStorage(folder) if sqlite else MemoryStorage()
    model: dict[str, str] = {}
    for number, (names, gone) in enumerate(batches):
        objects = [config_map(name, k=str(number)) for name in names if name not in gone]
        storage.write(
            Batch(
                records=tuple(record_of(key_of(obj), obj) for obj in objects),
                gone=tuple(Address("configmaps", "default", name) for name in gone),
                notes={"n": str(number)},
            )
        )
        model.update({obj.metadata.name: str(number) for obj in objects})
        for name in gone:
            model.pop(name, None)
    if sqlite:
        storage.close()
        storage = SqliteStorage(folder)
    found = storage.load()
    storage.close()
    by_name = {o.metadata.name: o.data["k"] for o in found.objects if isinstance(o, ConfigMap)}
    assert by_name == model
    assert found.notes == ({"n": str(len(batches) - 1)} if batches else {})


CRASH = """
import sys
from itertools import count
from pathlib import Path
from knlite.registry.writebehind import WriteBehind
from knlite.registry.sqlite import SqliteStorage
from tests.unit.registry.desk import config_map, registry

class Storage(SqliteStorage):
    def write(self, batch):
        super().write(batch)
        if batch.records:
            print("written", flush=True)

desk = registry()
with WriteBehind(desk, Storage(Path(sys.argv[1])), print).keeping():
    for number in count():
        name = f"c{number}"
        desk.create(config_map(name), user="a")
        desk.create(config_map(name, "knative-serving"), user="a")
"""


def test_after_a_kill_nothing_is_half_there_and_no_version_comes_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CRASH), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
    desk = restored(SqliteStorage(tmp_path))
    found = desk.view.listed(ConfigMap, "")
    versions = sorted(int(obj.metadata.resource_version) for obj in found)
    # A prefix of the history: what is missing is missing from its end.
    assert versions
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    assert desk.version > versions[-1] + 50_000


class Crashing(MemoryStorage):
    """Keeps the first batch alone: the crash comes before all others."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0

    def write(self, batch: Batch) -> None:
        self.batches += 1
        if self.batches == 1:
            super().write(batch)


def test_a_run_that_is_killed_at_once_leaves_a_trace() -> None:
    storage, desk = Crashing(), registry()
    with kept(desk, storage).keeping():
        seen = desk.create(config_map(), user="a")
    assert restored(storage).version > int(seen.metadata.resource_version)


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    first = SqliteStorage(tmp_path)
    with pytest.raises(Conflict, match="another knlite runs with this --data-dir"):
        SqliteStorage(tmp_path)
    first.close()
    SqliteStorage(tmp_path).close()


def test_only_its_user_can_read_the_file(tmp_path: Path) -> None:
    SqliteStorage(tmp_path).close()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def load(folder: Path) -> None:
    storage = SqliteStorage(folder)
    try:
        storage.load()
    finally:
        storage.close()


def damage_header(file: Path) -> None:
    file.write_bytes(b"no database " * 1_000)


def damage_page(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * len(data[4096:])
    file.write_bytes(data)


def execute(statement: str) -> Callable[[Path], None]:
    def run(file: Path) -> None:
        db = sqlite3.connect(file)
        db.execute(statement)
        db.commit()
        db.close()

    return run


@pytest.mark.parametrize(
    ("harm", "text"),
    [
        pytest.param(damage_header, "damaged, or no database", id="no database"),
        pytest.param(damage_page, "damaged", id="page"),
        pytest.param(execute("PRAGMA user_version = 99"), "newer knlite", id="layout"),
        pytest.param(execute("UPDATE objects SET form = 99"), "newer knlite", id="form"),
        pytest.param(execute("UPDATE objects SET body = '{'"), "configmaps default/x", id="body"),
        pytest.param(
            execute("UPDATE objects SET body = X'22FF22'"), "configmaps default/x", id="not UTF-8"
        ),
        pytest.param(
            execute("""UPDATE objects SET body = '{"apiVersion":"v1","kind":"Gone"}'"""),
            "configmaps default/x is damaged: no matches for kind",
            id="kind",
        ),
    ],
)
def test_what_cannot_be_used_is_said_with_a_way_out(
    tmp_path: Path, harm: Callable[[Path], None], text: str
) -> None:
    storage = SqliteStorage(tmp_path)
    obj = config_map(k="v" * 10_000)
    storage.write(Batch(records=(record_of(key_of(obj), obj),)))
    storage.close()
    harm(tmp_path / FILE)
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path)
    assert text in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize("note", ["version", "applied"])
def test_a_damaged_note_is_said_with_a_way_out(note: str) -> None:
    storage = MemoryStorage()
    storage.write(Batch(notes={note: "{"}))
    with pytest.raises(InvalidInput, match="a note is damaged") as caught:
        kept(empty(), storage).restore()
    assert caught.value.fix


def test_a_folder_that_cannot_be_made_is_said_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreachable, match="cannot be read or written"):
        SqliteStorage(tmp_path / "file" / "data")


class Full(MemoryStorage):
    """Has no room while it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.room = True

    def write(self, batch: Batch) -> None:
        if not self.room:
            raise Unreachable("no room")
        super().write(batch)


def test_what_could_not_be_kept_is_tried_again_and_told_once() -> None:
    told: list[str] = []
    first = threading.Event()

    def complain(text: str) -> None:
        told.append(text)
        first.set()

    storage, desk = Full(), registry()
    with WriteBehind(desk, storage, complain).keeping():
        storage.room = False
        desk.create(config_map(k="v"), user="a")
        assert first.wait(timeout=10)
        storage.room = True
    assert told == ["changes are not kept at present: no room", "changes are kept again"]
    assert [obj.metadata.name for obj in storage.load().objects] == ["x"]


def test_records_name_their_form() -> None:
    record = record_of(X, config_map())
    assert isinstance(record, Record)
    assert record.form == 1
