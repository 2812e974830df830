"""Rules for how a store keeps conversations, and who may go on with one."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from msgspec.structs import replace

from gateway.errors import NotFoundError
from gateway.plugin import Conversation, Origin, Page, Store
from gateway.testing.store_responses import Reopen
from gateway.testing.store_samples import TENANT, context, empty, items, record, save, sentence

__all__ = ["ConversationRules"]

TALK = Conversation(id="talk", tenant=TENANT, created_at=1.25, metadata=b'{ "a":"\\u0000" }')
_FROM_TALK = Origin(conversation_id="talk")


async def talk(store: Store, names: str = "") -> None:
    """Create the conversation `talk` with the items `names`."""
    await store.create_conversation(TALK, items(names))


async def said(store: Store, conversation_id: str = "talk") -> str:
    """Return the items of a conversation as a sentence, having looked at it from both sides."""
    found = await store.conversation_context(TENANT, conversation_id)
    page = Page(limit=10_000, order="asc")
    paged = await store.conversation_items(TENANT, conversation_id, page)
    assert (None if paged is None else paged.items) == found
    return "gone" if found is None else sentence(found)


class ConversationRules:
    """Creating, growing, changing and locking."""

    pytestmark = pytest.mark.asyncio

    async def test_a_conversation_comes_back_byte_for_byte(self, store: Store) -> None:
        await talk(store, "x y")
        assert await store.conversation(TENANT, "talk") == TALK
        assert await said(store) == "x y"

    async def test_a_conversation_may_begin_empty(self, store: Store) -> None:
        await talk(store)
        assert await said(store) == ""
        assert await store.add_items(TENANT, "talk", ())
        assert await said(store) == ""
        assert await store.add_items(TENANT, "talk", items("x"))
        assert await said(store) == "x"

    @pytest.mark.parametrize("tenant", [TENANT, "rival"])
    async def test_a_conversation_that_is_not_there_takes_nothing(
        self, store: Store, tenant: str
    ) -> None:
        if tenant != TENANT:
            await talk(store, "x")
        assert await store.conversation(tenant, "talk") is None
        assert await store.conversation_context(tenant, "talk") is None
        assert await store.conversation_items(tenant, "talk", Page(after="x")) is None
        assert not await store.add_items(tenant, "talk", items("y"))
        assert not await store.remove_item(tenant, "talk", "x")
        assert not await store.update_conversation(replace(TALK, tenant=tenant))
        assert not await store.delete_conversation(tenant, "talk")
        assert await store.items(tenant, ["x", "y"]) == {}
        with pytest.raises(NotFoundError):
            await store.save(record("one", tenant=tenant), _FROM_TALK, items("q"), items("a"))
        assert await context(store, "one", tenant=tenant) == "gone"

    async def test_two_tenants_may_have_conversations_of_one_name(self, store: Store) -> None:
        await talk(store, "x")
        theirs = replace(TALK, tenant="rival")
        await store.create_conversation(theirs, items("y"))
        assert await store.lock(TENANT, "talk", "me", now=0, until=100)
        assert await store.lock("rival", "talk", "you", now=0, until=100)
        assert await store.delete_conversation("rival", "talk")
        assert await said(store) == "x"

    async def test_a_conversation_that_is_there_already_stays_as_it_is(self, store: Store) -> None:
        await talk(store, "x")
        await store.create_conversation(replace(TALK, metadata=b"{}"), items("y"))
        assert await store.conversation(TENANT, "talk") == TALK
        assert await said(store) == "x"

    async def test_metadata_can_be_changed_and_nothing_else(self, store: Store) -> None:
        await talk(store, "x")
        changed = replace(TALK, created_at=99.0, metadata=b'{"b":"c"}')
        assert await store.update_conversation(changed)
        assert await store.conversation(TENANT, "talk") == replace(TALK, metadata=b'{"b":"c"}')
        assert await said(store) == "x"

    async def test_items_are_added_in_their_order(self, store: Store) -> None:
        await talk(store, "a")
        for names in ("b", "c d", "a"):
            assert await store.add_items(TENANT, "talk", items(names))
        assert await said(store) == "a b c d a"

    @pytest.mark.parametrize(
        ("name", "left"),
        [
            ("a", "b c d e f"),
            ("c", "a b d e f"),
            ("d", "a b c e f"),
            ("e", "a b c d f"),
            ("f", "a b c d e"),
        ],
    )
    async def test_an_item_can_be_removed_wherever_it_is(
        self, store: Store, name: str, left: str
    ) -> None:
        await talk(store, "a b")
        await store.add_items(TENANT, "talk", items("c d e"))
        await store.add_items(TENANT, "talk", items("f"))
        assert await store.remove_item(TENANT, "talk", name)
        assert not await store.remove_item(TENANT, "talk", name)
        assert await said(store) == left
        assert await store.add_items(TENANT, "talk", items("g"))
        assert await said(store) == f"{left} g"

    async def test_every_item_can_be_removed(self, store: Store) -> None:
        await talk(store, "a b")
        await store.add_items(TENANT, "talk", items("c"))
        for name in "bca":
            assert await store.remove_item(TENANT, "talk", name)
        assert await said(store) == ""
        await store.add_items(TENANT, "talk", items("d"))
        assert await said(store) == "d"

    async def test_an_item_that_is_there_twice_is_removed_twice(self, store: Store) -> None:
        await talk(store, "a b a")
        await store.add_items(TENANT, "talk", items("a c a"))
        assert await store.remove_item(TENANT, "talk", "a")
        assert await said(store) == "b c"

    async def test_a_response_makes_its_conversation_longer(self, store: Store) -> None:
        await talk(store, "x")
        await save(store, "one", "q1", "a1", origin=_FROM_TALK)
        await save(store, "two", "q2", "a2", origin=_FROM_TALK)
        assert await context(store, "one") == "x q1 | a1"
        assert await context(store, "two") == "x q1 a1 q2 | a2"
        assert await said(store) == "x q1 a1 q2 a2"

    async def test_writing_a_response_again_says_nothing_twice(self, store: Store) -> None:
        await talk(store, "x")
        for _ in range(2):
            await save(store, "one", "q", "a", origin=_FROM_TALK)
        assert await said(store) == "x q a"

    async def test_a_response_keeps_its_context_whatever_becomes_of_the_conversation(
        self, store: Store
    ) -> None:
        await talk(store, "x y")
        await save(store, "one", "q", "a", origin=_FROM_TALK)
        assert await store.remove_item(TENANT, "talk", "x")
        assert await store.remove_item(TENANT, "talk", "a")
        assert await said(store) == "y q"
        assert await context(store, "one") == "x y q | a"
        assert await store.delete_conversation(TENANT, "talk")
        assert not await store.delete_conversation(TENANT, "talk")
        assert await said(store) == "gone"
        await empty(store, 0)
        assert await context(store, "one") == "x y q | a"

    async def test_a_conversation_keeps_its_items_whatever_becomes_of_a_response(
        self, store: Store
    ) -> None:
        await talk(store, "x")
        await save(store, "one", "q", "a", origin=_FROM_TALK)
        assert await store.delete(TENANT, "one")
        await empty(store, 0)
        assert await said(store) == "x q a"

    @pytest.mark.parametrize("order", ["asc", "desc"])
    @pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
    async def test_pages_show_each_item_once(
        self, store: Store, limit: int, order: Literal["asc", "desc"]
    ) -> None:
        await talk(store, "a b")
        await store.add_items(TENANT, "talk", items("c d e"))
        shown, page = "", Page(limit=limit, order=order)
        while found := await store.conversation_items(TENANT, "talk", page):
            shown += sentence(found.items).replace(" ", "")
            page = Page(limit=limit, order=order, after=shown[-1])
            assert found.has_more == (len(shown) < 5)
            if not found.has_more:
                break
        assert shown == ("abcde" if order == "asc" else "edcba")
        with pytest.raises(NotFoundError):
            await store.conversation_items(TENANT, "talk", Page(after="nobody"))

    async def test_nothing_is_lost_if_many_add_at_once(self, store: Store) -> None:
        await talk(store)
        names = [f"item{number}" for number in range(40)]
        await asyncio.gather(*(store.add_items(TENANT, "talk", items(name)) for name in names))
        assert sorted((await said(store)).split()) == sorted(names)

    async def test_only_one_has_the_lock(self, store: Store) -> None:
        await talk(store)
        assert await store.lock(TENANT, "talk", "me", now=0, until=100)
        assert not await store.lock(TENANT, "talk", "you", now=0, until=100)
        assert not await store.lock(TENANT, "talk", "you", now=99.9, until=200)
        await store.unlock(TENANT, "talk", "you")
        assert not await store.lock(TENANT, "talk", "you", now=0, until=100)
        await store.unlock(TENANT, "talk", "me")
        assert await store.lock(TENANT, "talk", "you", now=0, until=100)

    async def test_a_lock_ends_by_itself(self, store: Store) -> None:
        await talk(store)
        assert await store.lock(TENANT, "talk", "me", now=0, until=100)
        assert await store.lock(TENANT, "talk", "you", now=100, until=200)
        assert not await store.lock(TENANT, "talk", "me", now=150, until=300)
        await store.unlock(TENANT, "talk", "me")
        assert not await store.lock(TENANT, "talk", "me", now=150, until=300)

    async def test_who_has_the_lock_can_keep_it_for_longer(self, store: Store) -> None:
        await talk(store)
        assert await store.lock(TENANT, "talk", "me", now=0, until=100)
        assert await store.lock(TENANT, "talk", "me", now=50, until=200)
        assert await store.lock(TENANT, "talk", "me", now=50, until=60)
        assert not await store.lock(TENANT, "talk", "you", now=199, until=300)
        assert await store.lock(TENANT, "talk", "you", now=200, until=300)

    async def test_the_lock_of_what_does_not_exist_is_free(self, store: Store) -> None:
        assert await store.lock(TENANT, "nobody", "me", now=0, until=100)
        await store.unlock(TENANT, "nobody", "me")

    async def test_of_many_who_want_the_lock_one_gets_it(self, store: Store) -> None:
        await talk(store)
        got = await asyncio.gather(
            *(store.lock(TENANT, "talk", f"owner{n}", now=0, until=100) for n in range(20))
        )
        assert sum(got) == 1

    async def test_a_conversation_and_its_lock_outlive_a_restart(
        self, store: Store, reopen: Reopen
    ) -> None:
        if reopen is None:
            pytest.skip("this store keeps nothing for longer than its process")
        await talk(store, "x")
        await store.lock(TENANT, "talk", "me", now=0, until=100)
        async with reopen() as again:
            assert await again.conversation(TENANT, "talk") == TALK
            assert not await again.lock(TENANT, "talk", "you", now=0, until=100)
            assert await again.add_items(TENANT, "talk", items("y"))
        assert await said(store) == "x y"
