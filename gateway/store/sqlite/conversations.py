"""Conversations in the SQLite store."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from gateway.plugin.store import Conversation, Page, Slice, StoredItem
from gateway.store.sqlite.contexts import (
    Node,
    entries,
    grow,
    grow_again,
    hold,
    one,
    part,
    read,
    release,
)

__all__ = [
    "add",
    "context",
    "create",
    "delete",
    "find",
    "lock",
    "move",
    "page",
    "remove",
    "unlock",
    "update",
]

_CREATE = (
    "INSERT INTO conversations (tenant, id, created_at, metadata, node) VALUES (?, ?, ?, ?, ?)"
)
_UPDATE = "UPDATE conversations SET metadata = ? WHERE tenant = ? AND id = ? RETURNING 1"
_END = "SELECT node FROM conversations WHERE tenant = ? AND id = ?"
_FIND = "SELECT created_at, metadata FROM conversations WHERE tenant = ? AND id = ?"
_DELETE = "DELETE FROM conversations WHERE tenant = ? AND id = ? RETURNING node"
_MOVE = "UPDATE conversations SET node = ? WHERE tenant = ? AND id = ?"
_LOCKED = "SELECT owner, until FROM conversations WHERE tenant = ? AND id = ?"
_LOCK = "UPDATE conversations SET owner = ?, until = ? WHERE tenant = ? AND id = ?"
_UNLOCK = "UPDATE conversations SET owner = NULL WHERE tenant = ? AND id = ? AND owner = ?"


def create(connection: Connection, conversation: Conversation, items: Sequence[StoredItem]) -> None:
    tenant, name = conversation.tenant, conversation.id
    if one(connection, _END, (tenant, name)) is None:
        end = grow(connection, tenant, None, items)
        values = (tenant, name, conversation.created_at, conversation.metadata, end)
        connection.execute(_CREATE, values)


def find(connection: Connection, tenant: str, conversation_id: str) -> Conversation | None:
    found = one(connection, _FIND, (tenant, conversation_id))
    if found is None:
        return None
    created_at, metadata = found
    return Conversation(id=conversation_id, tenant=tenant, created_at=created_at, metadata=metadata)


def update(connection: Connection, conversation: Conversation) -> bool:
    values = (conversation.metadata, conversation.tenant, conversation.id)
    return one(connection, _UPDATE, values) is not None


def delete(connection: Connection, tenant: str, conversation_id: str) -> bool:
    ends = connection.execute(_DELETE, (tenant, conversation_id)).fetchall()
    release(connection, [end for (end,) in ends])
    return bool(ends)


def context(
    connection: Connection, tenant: str, conversation_id: str
) -> tuple[StoredItem, ...] | None:
    found = one(connection, _END, (tenant, conversation_id))
    return read(connection, found[0]) if found else None


def page(connection: Connection, tenant: str, conversation_id: str, page: Page) -> Slice | None:
    found = one(connection, _END, (tenant, conversation_id))
    return part(connection, found[0], page) if found else None


def add(
    connection: Connection, tenant: str, conversation_id: str, items: Sequence[StoredItem]
) -> bool:
    found = one(connection, _END, (tenant, conversation_id))
    if found is None:
        return False
    # The conversation's hold on its old end becomes that of the new node.
    move(connection, tenant, conversation_id, grow(connection, tenant, found[0], items))
    return True


def remove(connection: Connection, tenant: str, conversation_id: str, item_id: str) -> bool:
    """Write the list anew from the node on that holds the item first."""
    found = one(connection, _END, (tenant, conversation_id))
    listed = entries(connection, found[0]) if found else []
    first = next((node for node, _, _, name in listed if name == item_id), None)
    if found is None or first is None:
        return False
    rest = [number for node, _, number, name in listed if node >= first and name != item_id]
    parent = one(connection, "SELECT parent FROM nodes WHERE number = ?", (first,))
    before = hold(connection, parent[0] if parent else None)
    move(connection, tenant, conversation_id, grow_again(connection, before, rest))
    release(connection, [found[0]])
    return True


def move(connection: Connection, tenant: str, conversation_id: str, end: Node) -> None:
    """Let a conversation end with the held node `end`."""
    connection.execute(_MOVE, (end, tenant, conversation_id))


def lock(
    connection: Connection, key: tuple[str, str], owner: str, *, now: float, until: float
) -> bool:
    found = one(connection, _LOCKED, key)
    if found is None:
        return True
    holder, end = found
    held = holder is not None and end > now
    if held and holder != owner:
        return False
    connection.execute(_LOCK, (owner, max(until, end) if held else until, *key))
    return True


def unlock(connection: Connection, tenant: str, conversation_id: str, owner: str) -> None:
    connection.execute(_UNLOCK, (tenant, conversation_id, owner))
