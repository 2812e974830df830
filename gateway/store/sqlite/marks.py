"""Marks in the SQLite store: names that count once until they expire."""

from __future__ import annotations

from sqlite3 import Connection

from gateway.store.sqlite.contexts import one

__all__ = ["mark", "purge_marks"]

_MARKS_AT_ONCE = 200

_MARK = """
    INSERT INTO marks (tenant, name, until) VALUES (:tenant, :name, :until)
    ON CONFLICT (tenant, name) DO UPDATE SET until = excluded.until WHERE until <= :now
    RETURNING 1
"""
_PURGE = """
    DELETE FROM marks WHERE (tenant, name) IN
        (SELECT tenant, name FROM marks WHERE until <= ? LIMIT ?)
"""


def mark(connection: Connection, tenant: str, name: str, *, now: float, until: float) -> bool:
    values = {"tenant": tenant, "name": name, "now": now, "until": until}
    return one(connection, _MARK, values) is not None


def purge_marks(connection: Connection, now: float) -> int:
    """Forget some marks that have expired; return how many."""
    return connection.execute(_PURGE, (now, _MARKS_AT_ONCE)).rowcount
