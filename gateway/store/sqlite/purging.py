"""What the SQLite store forgets: what has expired, and what nothing holds any more."""

from __future__ import annotations

from sqlite3 import Connection

import msgspec

from gateway.store.sqlite.contexts import release
from gateway.store.sqlite.marks import purge_marks
from gateway.store.sqlite.responses import forget

__all__ = ["purge"]

_RESPONSES_AT_ONCE = 50
_NODES_AT_ONCE = 200
_ITEMS_AT_ONCE = 200  # few, because others wait for their turn to write

_EXPIRED = """
    DELETE FROM responses
    WHERE number IN (SELECT number FROM responses WHERE expires_at <= ? LIMIT ?)
    RETURNING number, node
"""
_UNHELD_NODES = """
    DELETE FROM nodes WHERE number IN (SELECT number FROM nodes WHERE holders = 0 LIMIT ?)
    RETURNING parent, items
"""
_RELEASE_ITEM = """
    UPDATE items SET holders = holders - 1
    WHERE (tenant, id, digest) = (SELECT tenant, id, digest FROM contents WHERE number = ?)
"""
_UNHELD_ITEMS = "SELECT number, tenant, id, digest FROM items WHERE holders = 0 LIMIT ?"
_DELETE_ITEM = "DELETE FROM items WHERE tenant = ? AND id = ? AND digest = ?"
_DELETE_CONTENT = "DELETE FROM contents WHERE number = ?"


def purge(connection: Connection, now: float) -> int:
    """Forget some of what can go; return how many things went."""
    expired = connection.execute(_EXPIRED, (now, _RESPONSES_AT_ONCE)).fetchall()
    forget(connection, expired)
    unheld = _purge_nodes(connection) + _purge_items(connection)
    return len(expired) + purge_marks(connection, now) + unheld


def _purge_nodes(connection: Connection) -> int:
    """Forget nodes that nobody holds, and those that only they held."""
    total = 0
    while total < _NODES_AT_ONCE:
        gone = connection.execute(_UNHELD_NODES, (_NODES_AT_ONCE - total,)).fetchall()
        if not gone:
            break
        release(connection, [parent for parent, _ in gone])
        numbers = [(number,) for _, items in gone for number in msgspec.json.decode(items)]
        connection.executemany(_RELEASE_ITEM, numbers)
        total += len(gone)
    return total


def _purge_items(connection: Connection) -> int:
    gone = connection.execute(_UNHELD_ITEMS, (_ITEMS_AT_ONCE,)).fetchall()
    connection.executemany(_DELETE_CONTENT, [(number,) for number, *_ in gone])
    connection.executemany(_DELETE_ITEM, [key for _, *key in gone])
    return len(gone)
