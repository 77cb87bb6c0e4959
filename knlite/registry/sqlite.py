"""Objects in an SQLite file: what was committed is there after any crash, what was not is not.

Write-ahead log; a commit is safe against the end of the process at once, and against the end of the
machine a moment later. The file belongs to one process at a time.

Source: SQLite, "Write-Ahead Logging", "Pragma statements".
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from knlite.errors import Conflict, InvalidInput, Unreachable
from knlite.registry.storage import Address, Batch, Kept, Record, kept

FILE = "objects.sqlite"
LAYOUT = 1
"""The layout of the tables (``user_version``)."""

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    form INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (resource, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_BUSY = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


class SqliteStorage:
    """Keeps records in one file of a folder."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file in *folder*.

        Raises ``Conflict`` (another process has it), ``InvalidInput`` (it is damaged, or newer than
        this knlite), ``Unreachable`` (it cannot be opened).
        """
        self._path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Secrets are among the objects.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as exc:
            raise self._unreachable(str(exc)) from exc
        with self._translated():
            self._db = sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False
            )
        try:
            with self._translated():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def load(self) -> Kept:
        """What is kept. Raises ``InvalidInput``."""
        with self._translated():
            # Somebody may have mended a body by hand; it is a text then.
            rows = self._db.execute(
                "SELECT resource, namespace, name, form, CAST(body AS BLOB) FROM objects"
            )
            records = [Record(Address(*row[:3]), *row[3:]) for row in rows]
            notes = dict(self._db.execute("SELECT name, value FROM notes"))
        return kept(records, notes)

    def write(self, batch: Batch) -> None:
        """Keep *batch* as a whole. Raises ``Unreachable``."""
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(
                    "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?",
                    [(each.resource, each.namespace, each.name) for each in batch.gone],
                )
                self._db.executemany(
                    "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
                    [
                        (a.resource, a.namespace, a.name, record.form, record.body)
                        for record in batch.records
                        for a in (record.address,)
                    ],
                )
                self._db.executemany(
                    "INSERT OR REPLACE INTO notes VALUES (?, ?)", list(batch.notes.items())
                )
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Fold the log into the file and let others have it."""
        self._db.close()

    def _prepare(self) -> None:
        db = self._db
        # Before anything else, so that the file is never shared.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        layout = db.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            raise InvalidInput(
                f"{self._path} cannot be used",
                cause=f"it was written by a newer knlite (layout {layout}; known is {LAYOUT})",
                fix="use that knlite, or another --data-dir",
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN IMMEDIATE")
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {LAYOUT}")
        db.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise self._error(exc) from exc

    def _error(self, exc: sqlite3.Error) -> Conflict | InvalidInput | Unreachable:
        # Extended codes have the plain one in their low byte.
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            return Conflict(
                f"{self._path} is in use",
                cause="another knlite runs with this --data-dir",
                fix="stop it, or give this one another --data-dir",
            )
        if code in _DAMAGED:
            return InvalidInput(
                f"{self._path} cannot be used",
                cause=f"it is damaged, or no database: {exc}",
                fix="restore a copy, or move it away and apply the manifests again",
            )
        return self._unreachable(str(exc))

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(
            f"{self._path} cannot be read or written",
            cause=why,
            fix="make room, or give --data-dir a folder that can be written to",
        )
