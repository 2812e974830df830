"""Lists of items as nodes: how they grow, who holds them, and how they are read.

A *held* node is one that is counted for somebody. `grow` takes a held node and gives back another:
whoever ends up with it keeps it in a row of its own, or gives it back with `release`. The list
without items is no node at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from sqlite3 import Connection
from typing import Any

import msgspec

from gateway.plugin.store import Page, Slice, StoredItem
from gateway.store.slices import cut

__all__ = ["entries", "grow", "grow_again", "hold", "one", "part", "read", "read_last", "release"]

Node = int | None
Entry = tuple[int, int, int, str]
"""An item on a list: its node, its position there, the number of its content, and its id."""

_DIGEST_BYTES = 16
_PATH = """
    WITH RECURSIVE path (number, parent, items) AS (
        SELECT number, parent, items FROM nodes WHERE number = :end AND number > :since
        UNION ALL
        SELECT nodes.number, nodes.parent, nodes.items
        FROM path CROSS JOIN nodes ON nodes.number = path.parent WHERE nodes.number > :since
    )
    SELECT path.number, entry.key, contents.{what}
    FROM path CROSS JOIN json_each(path.items) AS entry
    CROSS JOIN contents ON contents.number = entry.value
"""
_READ = _PATH.format(what="id, contents.body")
_ENTRIES = _PATH.format(what="number, contents.id")
_READ_LAST = """
    SELECT entry.key, contents.id, contents.body
    FROM nodes CROSS JOIN json_each(nodes.items) AS entry
    CROSS JOIN contents ON contents.number = entry.value
    WHERE nodes.number = ? AND entry.key >= json_array_length(nodes.items) - ?
"""
_PART = """
    SELECT contents.number, contents.id, contents.body
    FROM json_each(?) AS entry CROSS JOIN contents ON contents.number = entry.value
"""
_FORMS = """
    SELECT '', x'', coalesce(max(number), 0), 0 FROM contents
    UNION ALL
    SELECT id, digest, number, written FROM items WHERE tenant = ? AND id IN ({ids})
"""
_IDS_AT_ONCE = 500  # SQLite allows some thousands of values in a statement
_NEW_CONTENT = "INSERT INTO contents (tenant, id, digest, number, body) VALUES (?, ?, ?, ?, ?)"
_NEW_ITEM = """
    INSERT INTO items (tenant, id, digest, number, written, holders) VALUES (?, ?, ?, ?, ?, 1)
"""
_KNOWN_ITEM = """
    UPDATE items SET holders = holders + 1, written = ? WHERE tenant = ? AND id = ? AND digest = ?
"""
_HOLD_ITEM = """
    UPDATE items SET holders = holders + 1
    WHERE (tenant, id, digest) = (SELECT tenant, id, digest FROM contents WHERE number = ?)
"""


def one(connection: Connection, statement: str, values: Any) -> tuple[Any, ...] | None:
    """Return the only row that `statement` gives, or None."""
    rows = connection.execute(statement, values).fetchall()
    return rows[0] if rows else None


def hold(connection: Connection, node: Node) -> Node:
    """Count one more who holds `node`, and return it."""
    if node is not None:
        connection.execute("UPDATE nodes SET holders = holders + 1 WHERE number = ?", (node,))
    return node


def release(connection: Connection, nodes: Iterable[Node]) -> None:
    """Count one less who holds each of `nodes`."""
    held = [(node,) for node in nodes if node is not None]
    connection.executemany("UPDATE nodes SET holders = holders - 1 WHERE number = ?", held)


def grow(connection: Connection, tenant: str, parent: Node, items: Sequence[StoredItem]) -> Node:
    """Put `items` after the held node `parent`; return the held node that ends with them."""
    return _add(connection, parent, _keep(connection, tenant, items))


def grow_again(connection: Connection, parent: Node, numbers: Sequence[int]) -> Node:
    """Do what `grow` does, with items that are on other lists already."""
    connection.executemany(_HOLD_ITEM, [(number,) for number in numbers])
    return _add(connection, parent, numbers)


def read(connection: Connection, end: Node) -> tuple[StoredItem, ...]:
    """Return the items of a list up to `end`."""
    rows = connection.execute(_READ, {"end": end, "since": 0}).fetchall()
    return tuple(StoredItem(id=name, body=body) for _, _, name, body in sorted(rows))


def read_last(connection: Connection, node: Node, count: int) -> tuple[StoredItem, ...]:
    """Return the last `count` items of `node` itself."""
    rows = connection.execute(_READ_LAST, (node, count)).fetchall()
    return tuple(StoredItem(id=name, body=body) for _, name, body in sorted(rows))


def entries(connection: Connection, end: Node, *, since: Node = None) -> list[Entry]:
    """Return the items of a list up to `end`, those after `since` only."""
    return sorted(connection.execute(_ENTRIES, {"end": end, "since": since or 0}).fetchall())


def part(connection: Connection, end: Node, page: Page, *, without: int = 0) -> Slice:
    """Return a part of a list, of which the last items are left out: so many as `without` says.

    Raises `NotFoundError` if `page.after` is not there.
    """
    listed = entries(connection, end)
    listed = listed[: len(listed) - without]
    positions, has_more = cut([entry[3] for entry in listed], page)
    numbers = [listed[position][2] for position in positions]
    rows = connection.execute(_PART, (_json(numbers),)).fetchall()
    found = {number: StoredItem(id=name, body=body) for number, name, body in rows}
    return Slice(items=tuple(found[number] for number in numbers), has_more=has_more)


def _add(connection: Connection, parent: Node, numbers: Sequence[int]) -> Node:
    if not numbers:
        return parent
    added = connection.execute(
        "INSERT INTO nodes (parent, holders, items) VALUES (?, 1, ?)", (parent, _json(numbers))
    )
    return added.lastrowid


def _keep(connection: Connection, tenant: str, items: Sequence[StoredItem]) -> list[int]:
    """Return the numbers of the contents of `items`, of which only new ones are written."""
    forms = _Forms(connection, tenant, [item.id for item in items])
    numbers = [forms.keep(item) for item in items]
    for statement, rows in (
        (_NEW_CONTENT, forms.new_contents),
        (_NEW_ITEM, forms.new_items),
        (_KNOWN_ITEM, forms.known_items),
    ):
        if rows:
            connection.executemany(statement, rows)
    return numbers


class _Forms:
    """What is to be written of items, seeing what there is of their `ids` already."""

    def __init__(self, connection: Connection, tenant: str, ids: Sequence[str]) -> None:
        self.new_contents: list[tuple[Any, ...]] = []
        self.new_items: list[tuple[Any, ...]] = []
        self.known_items: list[tuple[Any, ...]] = []
        self._tenant = tenant
        self._numbers: dict[tuple[str, bytes], int] = {}  # of contents, by id and digest
        self._written: dict[str, int] = {}
        self._highest = 0
        for start in range(0, len(ids), _IDS_AT_ONCE):
            self._look_up(connection, ids[start : start + _IDS_AT_ONCE])

    def keep(self, item: StoredItem) -> int:
        form = (item.id, blake2b(item.body, digest_size=_DIGEST_BYTES).digest())
        written = self._written[item.id] = self._written.get(item.id, 0) + 1
        if form in self._numbers:
            self.known_items.append((written, self._tenant, *form))
        else:
            self._numbers[form] = self._highest = self._highest + 1
            self.new_contents.append((self._tenant, *form, self._highest, item.body))
            self.new_items.append((self._tenant, *form, self._highest, written))
        return self._numbers[form]

    def _look_up(self, connection: Connection, ids: Sequence[str]) -> None:
        statement = _FORMS.format(ids=",".join("?" * len(ids)))
        for name, digest, number, written in connection.execute(statement, (self._tenant, *ids)):
            self._numbers[name, digest] = number
            self._highest = max(number, self._highest)
            self._written[name] = max(written, self._written.get(name, 0))


def _json(numbers: Sequence[int]) -> str:
    return msgspec.json.encode(numbers).decode()
