"""What an operation costs: one round trip, however long the chain, and no byte twice."""

from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Protocol

import asyncpg
import pytest

from gateway.plugin import Conversation, Origin, Page, Store, StoredItem
from gateway.testing.store_samples import TENANT, enqueue, items, record, save
from gateway_postgres.store import PostgresStore

OPERATIONS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "save": lambda store: save(store, "new", "q", "a", origin="r199"),
    "load": lambda store: store.load(TENANT, "r199"),
    "history": lambda store: store.history(TENANT, "r199"),
    "input_items": lambda store: store.input_items(TENANT, "r199", Page(after="q7")),
    "items": lambda store: store.items(TENANT, ["q1", "a2", "nobody"]),
    "delete": lambda store: store.delete(TENANT, "r7"),
    "purge": lambda store: store.purge(0.0),
    "create_conversation": lambda store: store.create_conversation(
        Conversation(id="new", tenant=TENANT, created_at=1.0), items("x")
    ),
    "conversation": lambda store: store.conversation(TENANT, "talk"),
    "update_conversation": lambda store: store.update_conversation(TALK),
    "delete_conversation": lambda store: store.delete_conversation(TENANT, "other"),
    "conversation_context": lambda store: store.conversation_context(TENANT, "talk"),
    "conversation_items": lambda store: store.conversation_items(TENANT, "talk", Page()),
    "add_items": lambda store: store.add_items(TENANT, "talk", items("z")),
    "remove_item": lambda store: store.remove_item(TENANT, "talk", "x"),
    "lock": lambda store: store.lock(TENANT, "talk", "me", now=0, until=100),
    "unlock": lambda store: store.unlock(TENANT, "talk", "me"),
    "enqueue": lambda store: enqueue(store, "later", "q", origin="r199"),
    "claim": lambda store: store.claim("me", now=0, until=100),
    "renew": lambda store: store.renew("me", ["queued"], until=200),
    "append": lambda store: store.append("me", record("queued"), [(0, b"zero")]),
    "finish": lambda store: store.finish("me", record("queued"), items("a"), [(1, b"one")]),
    "cancel": lambda store: store.cancel(TENANT, "queued"),
    "events": lambda store: store.events(TENANT, "queued", -1),
    "mark": lambda store: store.mark(TENANT, "once", now=0, until=100),
    "ready": lambda store: store.ready(),
}
TALK = Conversation(id="talk", tenant=TENANT, created_at=1.0)


class Wire(Protocol):
    round_trips: int


async def chain(store: Store, turns: int) -> None:
    for turn in range(turns):
        last = f"r{turn - 1}" if turn else ""
        await save(store, f"r{turn}", f"q{turn}", f"a{turn}", origin=last)


def test_every_operation_is_measured() -> None:
    operations = {name for name in vars(Store) if not name.startswith("_")}
    assert operations == OPERATIONS.keys()


async def test_every_operation_is_one_round_trip(wired: PostgresStore, wire: Wire) -> None:
    await chain(wired, 200)
    await wired.create_conversation(TALK, items("x y"))
    await enqueue(wired, "queued", "q")
    spent: dict[str, int] = {}
    for name, operate in OPERATIONS.items():
        await operate(wired)  # the statement is prepared, once for each connection
        before = wire.round_trips
        await operate(wired)
        spent[name] = wire.round_trips - before
    assert spent == dict.fromkeys(OPERATIONS, 1)


async def test_the_last_turn_of_a_long_chain_costs_what_the_first_did(
    wired: PostgresStore, wire: Wire
) -> None:
    spent: list[int] = []
    for turn in range(200):
        before = wire.round_trips
        assert turn == 0 or await wired.history(TENANT, f"r{turn - 1}")
        last = f"r{turn - 1}" if turn else ""
        await save(wired, f"r{turn}", f"q{turn}", f"a{turn}", origin=last)
        spent.append(wire.round_trips - before)
    assert spent[10:] == [2] * 190


@pytest.mark.parametrize("replayed", [False, True])
async def test_what_is_stored_grows_with_new_items_only(
    store: PostgresStore, url: str, *, replayed: bool
) -> None:
    """Sizes are those of the items: all that a turn needs besides is of one size, or none."""
    connection = await asyncpg.connect(url)
    sizes: list[int] = []
    said: tuple[StoredItem, ...] = ()
    for turn in range(60):
        question, answer = items(f"question{turn:03} answer{turn:03}")
        inputs = (*said, question) if replayed else (question,)
        origin = Origin(response_id="" if replayed or not turn else f"r{turn - 1}")
        await store.save(record(f"r{turn}"), origin, inputs, (answer,))
        said = (*said, question, answer)
        sizes.append(await connection.fetchval("SELECT sum(octet_length(body)) FROM gateway.items"))
    entries = await connection.fetchval("SELECT count(*) FROM gateway.entries")
    await connection.close()
    grown = [after - before for before, after in pairwise(sizes)]
    assert len(set(grown)) == 1
    assert replayed or entries == 120
