"""Rules for what a store forgets, and what it must not."""

from __future__ import annotations

import asyncio

import pytest

from gateway.plugin import Conversation, Origin, Store
from gateway.testing.store_samples import (
    LATER,
    TENANT,
    context,
    empty,
    enqueue,
    item,
    items,
    record,
    save,
    sentence,
)

__all__ = ["PurgeRules"]

_TALK = Conversation(id="talk", tenant=TENANT, created_at=1.0)


async def known(store: Store, names: str) -> str:
    """Return those items `names` that the store has."""
    found = await store.items(TENANT, names.split())
    return " ".join(sorted(found))


class PurgeRules:
    """Expiry, and what nothing holds any more."""

    pytestmark = pytest.mark.asyncio

    async def test_an_empty_store_has_nothing_to_forget(self, store: Store) -> None:
        assert await store.purge(LATER) == 0

    async def test_responses_are_forgotten_when_they_expire(self, store: Store) -> None:
        await save(store, record("old", expires_at=100.0), "q", "a")
        await save(store, record("new", expires_at=200.0), "q", "b")
        assert await store.purge(99.9) == 0
        assert await context(store, "old") == "q | a"
        assert await empty(store, 100.0) > 0
        assert await context(store, "old") == "gone"
        assert await context(store, "new") == "q | b"
        assert await known(store, "q a b") == "b q"
        assert await empty(store, 100.0) == 0

    async def test_what_is_forgotten_breaks_no_other_response(self, store: Store) -> None:
        await save(store, record("one", expires_at=100.0), "q1", "a1")
        await save(store, record("two", expires_at=100.0), "q2", "a2", origin="one")
        await save(store, "three", "q3", "a3", origin="two")
        await save(store, record("left", expires_at=100.0), "l", "m", origin="one")
        await empty(store, 150.0)
        assert await context(store, "left") == "gone"
        assert await context(store, "three") == "q1 a1 q2 a2 q3 | a3"
        assert await known(store, "q1 a1 q2 a2 q3 a3 l m") == "a1 a2 a3 q1 q2 q3"
        assert await store.delete(TENANT, "three")
        await empty(store, 150.0)
        assert await known(store, "q1 a1 q2 a2 q3 a3") == ""

    async def test_items_go_with_the_last_that_holds_them(self, store: Store) -> None:
        await save(store, "one", "q shared", "a")
        await save(store, "two", "r shared", "a")
        await store.create_conversation(_TALK, items("shared x"))
        for delete in (store.delete(TENANT, "one"), store.delete(TENANT, "two")):
            assert await delete
            await empty(store, 0)
            assert "shared" in await known(store, "shared")
        assert await known(store, "q r a shared x") == "shared x"
        assert await store.remove_item(TENANT, "talk", "x")
        await empty(store, 0)
        assert await known(store, "shared x") == "shared"
        assert await store.delete_conversation(TENANT, "talk")
        await empty(store, 0)
        assert await known(store, "shared x") == ""
        assert await empty(store, 0) == 0

    async def test_an_item_is_what_it_was_when_its_other_form_has_gone(self, store: Store) -> None:
        old, new = item("q", "old"), item("q", "new")
        await store.save(record("one"), Origin(), (old,), ())
        await store.save(record("two"), Origin(), (new,), ())
        assert await store.delete(TENANT, "two")
        await empty(store, 0)
        assert await store.items(TENANT, ["q"]) == {"q": old}

    async def test_conversations_do_not_expire(self, store: Store) -> None:
        await store.create_conversation(_TALK, items("x"))
        origin = Origin(conversation_id="talk")
        await save(store, record("one", expires_at=100.0), "q", "a", origin=origin)
        await empty(store, 1e12)
        assert await context(store, "one") == "gone"
        assert sentence(await store.conversation_context(TENANT, "talk")) == "x q a"

    async def test_work_and_events_expire_with_their_response(self, store: Store) -> None:
        await enqueue(store, "one", "q")
        assert await store.claim("me", now=0, until=100)
        running = record("one", status="in_progress", expires_at=100.0)
        assert await store.append("me", running, [(0, b"zero")])
        await empty(store, 100.0)
        assert not await store.append("me", running, [(1, b"one")])
        assert await store.events(TENANT, "one", -1) is None
        assert await store.claim("you", now=1000, until=2000) is None
        assert await known(store, "q") == ""

    async def test_many_are_forgotten_though_it_may_take_several_steps(self, store: Store) -> None:
        for start in range(0, 600, 100):
            await asyncio.gather(
                *(
                    save(store, record(f"r{n}", expires_at=100.0), f"q{n} shared", f"a{n}")
                    for n in range(start, start + 100)
                )
            )
        await save(store, "kept", "shared", "a")
        assert await empty(store, 150.0) >= 600
        names = [f"{kind}{n}" for n in range(600) for kind in "qa"]
        assert await store.items(TENANT, [*names, "shared"]) == {"shared": item("shared")}
        assert await context(store, "kept") == "shared | a"

    async def test_a_long_chain_is_forgotten_to_its_beginning(self, store: Store) -> None:
        for turn in range(60):
            last = f"r{turn - 1}" if turn else ""
            await save(store, f"r{turn}", f"q{turn}", f"a{turn}", origin=last)
        for turn in range(60):
            await store.delete(TENANT, f"r{turn}")
        await empty(store, 0)
        assert await known(store, " ".join(f"q{turn} a{turn}" for turn in range(60))) == ""

    async def test_what_is_written_again_while_it_is_forgotten_stays(self, store: Store) -> None:
        for number in range(15):
            await save(store, f"old{number}", "shared q", "a")
            await save(store, f"root{number}", "b", "c")
            await store.delete(TENANT, f"old{number}")
            await asyncio.gather(
                store.purge(0),
                save(store, f"new{number}", "shared", "a"),
                store.purge(0),
                save(store, f"more{number}", "r", "q", origin=f"root{number}"),
            )
            assert await store.delete(TENANT, f"root{number}")
            assert await context(store, f"new{number}") == "shared | a"
            assert await context(store, f"more{number}") == "b c r | q"
