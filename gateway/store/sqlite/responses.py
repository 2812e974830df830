"""Responses in the SQLite store, and items by their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sqlite3 import Connection

import msgspec

from gateway.errors import NotFoundError
from gateway.plugin.store import History, Origin, Page, Record, Slice, StoredItem
from gateway.store.sqlite.contexts import (
    Node,
    grow,
    hold,
    one,
    part,
    read,
    read_last,
    release,
)

__all__ = [
    "KnownError",
    "delete",
    "end_of",
    "exists",
    "forget",
    "history",
    "input_items",
    "insert",
    "items",
    "load",
    "save",
]

_NOTHING = Origin()
_INSERT = """
    INSERT INTO responses
    (tenant, id, created_at, expires_at, status, model, body, node, outputs)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO NOTHING
"""
_FIND = """
    SELECT created_at, expires_at, status, model, body, node, outputs
    FROM responses WHERE tenant = ? AND id = ?
"""
_END = "SELECT node, outputs FROM responses WHERE tenant = ? AND id = ?"
_CONVERSATION_END = "SELECT node FROM conversations WHERE tenant = ? AND id = ?"
_ITEMS = """
    SELECT items.id, contents.body
    FROM json_each(?) AS wanted
    CROSS JOIN items ON items.tenant = ? AND items.id = wanted.value
    CROSS JOIN contents ON contents.number = items.number
    ORDER BY items.written
"""


class KnownError(Exception):
    """A response is there already, and was written as another one would be."""


def save(
    connection: Connection,
    record: Record,
    origin: Origin,
    inputs: Sequence[StoredItem],
    outputs: Sequence[StoredItem],
) -> None:
    """Write a response. Raises `KnownError` if it is there already and has no origin, and
    `NotFoundError` like `end_of`.
    """
    if origin != _NOTHING and exists(connection, record):
        return
    before = end_of(connection, record.tenant, origin)
    end = grow(connection, record.tenant, hold(connection, before), (*inputs, *outputs))
    if insert(connection, record, end, len(outputs)) is None:
        raise KnownError  # undoes what was written: asking first would cost all others a query
    if origin.conversation_id:
        connection.execute(
            "UPDATE conversations SET node = ? WHERE tenant = ? AND id = ?",
            (hold(connection, end), record.tenant, origin.conversation_id),
        )
        release(connection, [before])


def exists(connection: Connection, record: Record) -> bool:
    return one(connection, _END, (record.tenant, record.id)) is not None


def end_of(connection: Connection, tenant: str, origin: Origin) -> Node:
    """Return where a context ends that grows from `origin`. Raises `NotFoundError`."""
    if origin.conversation_id:
        kind, name, statement = "conversation", origin.conversation_id, _CONVERSATION_END
    elif origin.response_id:
        kind, name, statement = "response", origin.response_id, _END
    else:
        return None
    found = one(connection, statement, (tenant, name))
    if found is None:
        raise NotFoundError(f"there is no {kind} {name!r}")
    return found[0]


def insert(connection: Connection, record: Record, end: Node, outputs: int) -> int | None:
    """Write the row of a response, which keeps the held node `end`; return its number, or None if
    there is such a response.
    """
    values = (
        record.tenant,
        record.id,
        record.created_at,
        record.expires_at,
        record.status,
        record.model,
        record.body,
    )
    inserted = connection.execute(_INSERT, (*values, end, outputs))
    return inserted.lastrowid if inserted.rowcount else None


def load(
    connection: Connection, tenant: str, response_id: str
) -> tuple[Record, tuple[StoredItem, ...]] | None:
    found = _find(connection, tenant, response_id)
    if found is None:
        return None
    record, end, outputs = found
    return record, read_last(connection, end, outputs)


def history(connection: Connection, tenant: str, response_id: str) -> History | None:
    found = _find(connection, tenant, response_id)
    if found is None:
        return None
    record, end, outputs = found
    items = read(connection, end)
    return History(record=record, items=items, inputs=len(items) - outputs)


def input_items(connection: Connection, tenant: str, response_id: str, page: Page) -> Slice | None:
    found = one(connection, _END, (tenant, response_id))
    return part(connection, found[0], page, without=found[1]) if found else None


def items(connection: Connection, tenant: str, ids: Sequence[str]) -> Mapping[str, StoredItem]:
    wanted = {*ids}
    rows = connection.execute(_ITEMS, (msgspec.json.encode(wanted).decode(), tenant)).fetchall()
    # The last written is last. SQLite's JSON ends a text at a NUL, hence the second look.
    return {name: StoredItem(id=name, body=body) for name, body in rows if name in wanted}


def delete(connection: Connection, tenant: str, response_id: str) -> bool:
    rows = connection.execute(
        "DELETE FROM responses WHERE tenant = ? AND id = ? RETURNING number, node",
        (tenant, response_id),
    ).fetchall()
    forget(connection, rows)
    return bool(rows)


def forget(connection: Connection, responses: Sequence[tuple[int, Node]]) -> None:
    """Forget what belonged to responses, whose numbers and ends are given."""
    numbers = [(number,) for number, _ in responses]
    connection.executemany("DELETE FROM events WHERE response = ?", numbers)
    connection.executemany("DELETE FROM jobs WHERE response = ?", numbers)
    release(connection, [end for _, end in responses])


def _find(connection: Connection, tenant: str, response_id: str) -> tuple[Record, Node, int] | None:
    """Return a response, where its context ends, and how many items of that are its output."""
    found = one(connection, _FIND, (tenant, response_id))
    if found is None:
        return None
    created_at, expires_at, status, model, body, end, outputs = found
    record = Record(
        id=response_id,
        tenant=tenant,
        created_at=created_at,
        expires_at=expires_at,
        status=status,
        model=model,
        body=body,
    )
    return record, end, outputs
