"""Responses that are made in the background, in the SQLite store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sqlite3 import Connection

import msgspec

from gateway.plugin.store import FRUITLESS, Events, Job, Origin, Record, StoredItem
from gateway.store.sqlite.contexts import Node, entries, grow, grow_again, hold, one, release
from gateway.store.sqlite.conversations import move
from gateway.store.sqlite.responses import end_of, exists, insert

__all__ = ["append", "cancel", "claim", "enqueue", "events", "finish", "renew"]

Frames = Sequence[tuple[int, bytes]]

_EVENTS_AT_ONCE = 500
_ENQUEUE = """
    INSERT INTO jobs
    (response, tenant, response_id, conversation_id, origin, attempts, request)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_CLAIM = """
    UPDATE jobs SET owner = :owner, until = :until, attempts = attempts + 1
    WHERE response =
        (SELECT min(response) FROM jobs WHERE (owner IS NULL OR until <= :now) AND {which})
    RETURNING response, tenant, response_id, request, attempts
"""
_CLAIM_ANY = _CLAIM.format(which="TRUE")
_CLAIM_ONE = _CLAIM.format(which="response_id = :response_id")
_RENEW = """
    UPDATE jobs SET until = ? WHERE owner = ? AND response_id IN (SELECT value FROM json_each(?))
    RETURNING response_id, cancelled
"""
_HELD = """
    SELECT response, conversation_id, origin FROM jobs
    WHERE response_id = ? AND tenant = ? AND owner = ?
"""
_STAND = "UPDATE responses SET expires_at = ?, status = ?, model = ?, body = ? WHERE number = ?"
_APPEND = "INSERT OR REPLACE INTO events (response, number, frame) VALUES (?, ?, ?)"
_CONTEXT = "SELECT node FROM responses WHERE number = ?"
_MADE = "UPDATE responses SET node = ?, outputs = ? WHERE number = ?"
_CANCEL = "UPDATE jobs SET cancelled = 1 WHERE response_id = ? AND tenant = ? RETURNING 1"
_EVENTS = """
    SELECT number, frame FROM events WHERE response = ? AND number > ? ORDER BY number LIMIT ?
"""


def enqueue(
    connection: Connection,
    record: Record,
    origin: Origin,
    inputs: Sequence[StoredItem],
    job: Job,
) -> None:
    if exists(connection, record):
        return
    before = end_of(connection, record.tenant, origin)
    context = grow(connection, record.tenant, hold(connection, before), inputs)
    number = insert(connection, record, context, 0)
    name = (record.tenant, record.id, origin.conversation_id)
    connection.execute(_ENQUEUE, (number, *name, before, job.attempts, job.request))


def claim(
    connection: Connection, owner: str, *, now: float, until: float, response_id: str
) -> Job | None:
    values = {"owner": owner, "now": now, "until": until, "response_id": response_id}
    found = one(connection, _CLAIM_ONE if response_id else _CLAIM_ANY, values)
    if found is None:
        return None
    number, tenant, response_id, request, attempts = found
    last = one(connection, "SELECT max(number) FROM events WHERE response = ?", (number,))
    return Job(
        response_id=response_id,
        tenant=tenant,
        request=request,
        attempts=attempts,
        last_event=last[0] if last and last[0] is not None else -1,
    )


def renew(
    connection: Connection, owner: str, response_ids: Sequence[str], *, until: float
) -> Mapping[str, bool]:
    wanted = msgspec.json.encode(response_ids).decode()
    rows = connection.execute(_RENEW, (until, owner, wanted)).fetchall()
    return {response_id: bool(cancelled) for response_id, cancelled in rows}


def append(connection: Connection, owner: str, record: Record, frames: Frames) -> bool:
    held = one(connection, _HELD, (record.id, record.tenant, owner))
    if held is None:
        return False
    _write(connection, held[0], record, frames)
    return True


def finish(
    connection: Connection,
    owner: str,
    record: Record,
    outputs: Sequence[StoredItem],
    frames: Frames,
) -> bool:
    held = one(connection, _HELD, (record.id, record.tenant, owner))
    if held is None:
        return False
    number, conversation_id, origin = held
    _write(connection, number, record, frames)
    [(context,)] = connection.execute(_CONTEXT, (number,)).fetchall()
    end = grow(connection, record.tenant, context, outputs)
    connection.execute(_MADE, (end, len(outputs), number))
    connection.execute("DELETE FROM jobs WHERE response = ?", (number,))
    if conversation_id and record.status not in FRUITLESS:
        _continue(connection, (record.tenant, conversation_id), origin, end)
    return True


def cancel(connection: Connection, tenant: str, response_id: str) -> bool:
    return one(connection, _CANCEL, (response_id, tenant)) is not None


def events(connection: Connection, tenant: str, response_id: str, after: int) -> Events | None:
    statement = "SELECT number, status FROM responses WHERE tenant = ? AND id = ?"
    found = one(connection, statement, (tenant, response_id))
    if found is None:
        return None
    number, status = found
    frames = connection.execute(_EVENTS, (number, after, _EVENTS_AT_ONCE)).fetchall()
    return Events(frames=tuple(frames), status=status)


def _write(connection: Connection, number: int, record: Record, frames: Frames) -> None:
    values = (record.expires_at, record.status, record.model, record.body)
    connection.execute(_STAND, (*values, number))
    connection.executemany(_APPEND, [(number, step, frame) for step, frame in frames])


def _continue(connection: Connection, key: tuple[str, str], origin: Node, end: Node) -> None:
    """Let a conversation end with what came between `origin`, where it ended once, and `end`."""
    found = one(connection, "SELECT node FROM conversations WHERE tenant = ? AND id = ?", key)
    if found is None:
        return
    [now] = found
    if now == origin:
        move(connection, *key, hold(connection, end))
        release(connection, [origin])
    else:  # it has changed meanwhile
        numbers = [number for _, _, number, _ in entries(connection, end, since=origin)]
        move(connection, *key, grow_again(connection, now, numbers))
