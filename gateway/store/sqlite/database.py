"""A connection to the file of the SQLite store: how it is made, opened and given up.

The file is in WAL mode with `synchronous=NORMAL`: what is committed outlives the process, however
it ends; when the machine loses power the last commits may be lost, but the file stays sound.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from gateway.errors import StoreError
from gateway.store.sqlite.schema import APPLICATION, VERSION, migrate, version_of

__all__ = ["Database", "create"]

T = TypeVar("T")

_STATEMENTS_KEPT = 256
_PRIMARY_CODE = 0xFF
_SOUND_YET = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_REASONS = {
    sqlite3.SQLITE_BUSY: "another process is writing to it for too long, try again",
    sqlite3.SQLITE_CORRUPT: "it is damaged; move it away with its -wal, or restore a copy",
    sqlite3.SQLITE_NOTADB: "it is no database; move it away, or restore a copy",
    sqlite3.SQLITE_FULL: "there is no space left for it",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
}
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -8000",  # kilobytes
    "PRAGMA trusted_schema = OFF",
)


class Database:
    """Owns one connection, for one thread at a time.

    It is opened when it is first needed, and anew after whatever went wrong with it, so that a
    file that was put right, or put back, is used without a restart.
    """

    def __init__(self, path: Path, *, timeout: float, writes: bool) -> None:
        self._path = path
        self._timeout = timeout
        self._writes = writes
        self._connection: Connection | None = None
        self._identity = (0, 0)

    def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` does in a transaction of its own, which is undone if it raises.

        Raises `StoreError` if the file fails.
        """
        try:
            with self._connected() as connection:
                connection.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
                return work(connection)
        except (sqlite3.Error, OSError) as error:
            if _primary_code(error) not in _SOUND_YET:
                self.close()
            raise self._failure(error) from error

    def empty_log(self) -> None:
        """Move everything from the write-ahead log to the file, so that nothing old is left there.

        Where others are reading meanwhile it is left for another time.
        """
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA busy_timeout = 100")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                self._connection.execute(f"PRAGMA busy_timeout = {int(self._timeout * 1000)}")

    def close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is not None and _identity(self._path) != self._identity:
            self.close()  # the file was moved or replaced: what we write there would be lost
        if self._connection is None:
            if not self._path.exists():
                self._make()
            self._identity = _identity(self._path)
            self._connection = self._open()
        return self._connection

    def _make(self) -> None:
        """Raises `StoreError` if a log is there that SQLite would take for the new file's."""
        log = self._path.with_name(f"{self._path.name}-wal")
        if log.exists():
            raise StoreError(f"{self._path.name} is gone, but not {log.name}; move that, too")
        create(self._path)

    def _open(self) -> Connection:
        connection = _connect(self._path, self._timeout)
        try:
            for setting in _SETTINGS:
                connection.execute(setting).fetchall()
            self._bring_up_to_date(connection)
            if not self._writes:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _bring_up_to_date(self, connection: Connection) -> None:
        """Raises `StoreError` for a file that is not ours, or of a newer version."""
        [(application,)] = connection.execute("PRAGMA application_id").fetchall()
        if application != APPLICATION:
            raise StoreError(f"{self._path.name} is not the gateway's; move it away")
        version = version_of(connection)
        if version > VERSION:
            raise StoreError(
                f"{self._path.name} was written by a newer gateway, with version {version} of its"
                f" tables (this one knows {VERSION}); use that one, or move the file away"
            )
        if version < VERSION:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                migrate(connection)

    def _failure(self, error: sqlite3.Error | OSError) -> StoreError:
        reason = _REASONS.get(_primary_code(error))
        detail = error.strerror if isinstance(error, OSError) else str(error)
        said = f"{reason} ({detail})" if reason else detail
        return StoreError(f"the store in {self._path.name} fails: {said}")


def create(path: Path) -> None:
    """Make an empty store at `path`, for the owner's eyes only, unless another process is faster.

    It is made under another name, so that nobody ever sees half of it, and because closing a file
    would drop the locks that our other connections have on it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_connect(draft, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("BEGIN")
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                migrate(connection)
        with suppress(FileExistsError):
            os.link(draft, path)  # which never replaces, unlike a rename
    finally:
        for name in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
            name.unlink(missing_ok=True)


def _connect(path: Path, timeout: float) -> Connection:
    return sqlite3.connect(
        path,
        timeout=timeout,
        isolation_level=None,  # transactions are begun by us
        check_same_thread=False,
        cached_statements=_STATEMENTS_KEPT,
    )


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _primary_code(error: sqlite3.Error | OSError) -> int:
    code = getattr(error, "sqlite_errorcode", None)
    return sqlite3.SQLITE_ERROR if code is None else code & _PRIMARY_CODE
