"""Rules for how a store hands out work in the background, and keeps the events of it."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace

from gateway.errors import NotFoundError
from gateway.plugin import Conversation, Origin, Store
from gateway.plugin.store import FRUITLESS
from gateway.testing.store_responses import Reopen
from gateway.testing.store_samples import (
    TENANT,
    context,
    empty,
    enqueue,
    items,
    job,
    record,
    save,
    sentence,
)

__all__ = ["BackgroundRules"]

_RUNNING = record("one", status="in_progress", body=b'{"status":"in_progress"}')
_DONE = record("one", status="completed", expires_at=3e9, body=b'{"status":"completed"}')
_FROM_TALK = Origin(conversation_id="talk")
_FRAMES = ((0, b"zero"), (1, b"one"), (2, b"two \x00 \xf0\x9f\x91\xa9"))


async def claim(store: Store, owner: str = "me", *, now: float = 0, until: float = 100) -> str:
    """Return the id of the response that `owner` gets to make, or nothing."""
    found = await store.claim(owner, now=now, until=until)
    return found.response_id if found else ""


async def numbers(store: Store, after: int = -1, response_id: str = "one") -> list[int]:
    """Return the numbers of all events after one, however many calls it takes."""
    found: list[int] = []
    while events := await store.events(TENANT, response_id, after):
        if not events.frames:
            return found
        assert len(events.frames) <= 1000
        found += [number for number, _ in events.frames]
        after = found[-1]
    pytest.fail("there is no such response")


async def talk(store: Store, names: str) -> None:
    conversation = Conversation(id="talk", tenant=TENANT, created_at=1.0)
    await store.create_conversation(conversation, items(names))


async def said(store: Store) -> str:
    return sentence(await store.conversation_context(TENANT, "talk"))


class BackgroundRules:
    """Queueing, claiming, renewing, finishing and cancelling."""

    pytestmark = pytest.mark.asyncio

    async def test_a_queued_response_can_be_loaded_and_made(self, store: Store) -> None:
        await save(store, "zero", "q0", "a0")
        await enqueue(store, "one", "q1", origin="zero")
        assert await store.load(TENANT, "one") == (record("one", status="queued"), ())
        assert await context(store, "one") == "q0 a0 q1 |"
        assert await store.claim("me", now=0, until=100) == replace(job("one"), attempts=1)
        assert await store.finish("me", _DONE, items("a1"), _FRAMES)
        assert await store.load(TENANT, "one") == (_DONE, items("a1"))
        await save(store, "two", "q2", "a2", origin="one")
        assert await context(store, "two") == "q0 a0 q1 a1 q2 | a2"

    async def test_the_oldest_work_is_first_and_nobody_gets_it_twice(self, store: Store) -> None:
        for number in range(5):
            await enqueue(store, f"r{number}")
        got = [await claim(store, f"owner{number}") for number in range(6)]
        assert got == ["r0", "r1", "r2", "r3", "r4", ""]

    async def test_of_many_who_want_work_nobody_gets_the_same(self, store: Store) -> None:
        for number in range(30):
            await enqueue(store, f"r{number}")

        async def work(owner: str) -> list[str]:
            got: list[str] = []
            while found := await claim(store, owner):
                got.append(found)
            return got

        got = await asyncio.gather(*(work(f"owner{number}") for number in range(6)))
        counted = Counter(each for one in got for each in one)
        assert counted == Counter(f"r{number}" for number in range(30))

    async def test_the_work_on_one_response_can_be_taken_up(self, store: Store) -> None:
        for name in ("one", "two"):
            await enqueue(store, name)
        taken = await store.claim("me", now=0, until=100, response_id="two")
        assert taken == replace(job("two"), attempts=1)
        for wanted in ("two", "nobody"):
            assert await store.claim("you", now=0, until=100, response_id=wanted) is None
        assert await claim(store, "you") == "one"

    async def test_work_whose_owner_is_silent_goes_to_another(self, store: Store) -> None:
        await enqueue(store, "one")
        assert await claim(store, "me", until=100)
        assert await store.append("me", _RUNNING, _FRAMES)
        assert not await claim(store, "you", now=99.9)
        taken = await store.claim("you", now=100, until=200)
        assert taken == replace(job("one"), attempts=2, last_event=2)
        assert not await store.append("me", _RUNNING, [(3, b"late")])
        assert not await store.finish("me", _DONE, items("late"), [(3, b"late")])
        assert await store.renew("me", ["one"], until=300) == {}
        assert await store.append("you", _RUNNING, [(3, b"three")])
        assert await numbers(store) == [0, 1, 2, 3]
        assert await store.load(TENANT, "one") == (_RUNNING, ())

    async def test_work_that_is_renewed_stays(self, store: Store) -> None:
        for name in ("one", "two", "three"):
            await enqueue(store, name)
        assert [await claim(store), await claim(store)] == ["one", "two"]
        assert await claim(store, "you") == "three"
        held = await store.renew("me", ["one", "three", "nobody"], until=200)
        assert held == {"one": False}
        assert await store.renew("me", [], until=200) == {}
        assert await claim(store, "you", now=150, until=300) == "two"
        assert await claim(store, "you", now=150, until=300) == "three"
        assert await claim(store, "you", now=199.9) == ""
        assert await claim(store, "you", now=200) == "one"

    async def test_who_makes_a_response_is_told_that_it_is_to_end(self, store: Store) -> None:
        await enqueue(store, "one")
        await enqueue(store, "two")
        assert [await claim(store), await claim(store)] == ["one", "two"]
        assert await store.cancel(TENANT, "one")
        assert await store.cancel(TENANT, "one")
        assert await store.renew("me", ["one", "two"], until=200) == {"one": True, "two": False}
        assert await store.finish("me", _DONE, (), ())
        assert not await store.cancel(TENANT, "one")
        assert await store.renew("me", ["one", "two"], until=200) == {"two": False}

    async def test_work_that_nobody_has_yet_can_be_cancelled(self, store: Store) -> None:
        await enqueue(store, "one")
        assert not await store.cancel("rival", "one")
        assert await store.cancel(TENANT, "one")
        assert await claim(store) == "one"
        assert await store.renew("me", ["one"], until=200) == {"one": True}

    async def test_what_is_not_in_the_background_has_no_work_to_end(self, store: Store) -> None:
        await save(store, "one", "q", "a")
        assert not await store.cancel(TENANT, "one")
        assert not await store.append("me", _RUNNING, _FRAMES)
        assert not await store.finish("me", _DONE, items("b"), _FRAMES)
        events = await store.events(TENANT, "one", -1)
        assert events is not None
        assert (events.frames, events.status) == ((), "completed")
        assert await context(store, "one") == "q | a"

    async def test_nobody_writes_to_work_that_is_not_claimed(self, store: Store) -> None:
        await enqueue(store, "one", "q")
        for owner in ("me", ""):
            assert not await store.append(owner, _RUNNING, _FRAMES)
            assert not await store.finish(owner, _DONE, items("a"), _FRAMES)
            assert await store.renew(owner, ["one"], until=200) == {}
        assert await store.load(TENANT, "one") == (record("one", status="queued"), ())
        assert await numbers(store) == []

    async def test_a_finished_response_is_no_work_any_more(self, store: Store) -> None:
        await enqueue(store, "one", "q")
        await claim(store)
        assert await store.finish("me", _DONE, items("a"), ())
        assert not await store.finish("me", _RUNNING, items("b"), ())
        assert not await store.append("me", _RUNNING, ())
        assert await claim(store, "you", now=1000, until=2000) == ""
        assert await context(store, "one") == "q | a"

    async def test_events_come_back_after_any_of_them(self, store: Store) -> None:
        await enqueue(store, "one")
        await claim(store)
        assert await store.append("me", _RUNNING, _FRAMES[:1])
        assert await store.append("me", _RUNNING, ())
        assert await store.append("me", _RUNNING, _FRAMES[1:])
        for after in range(-1, 4):
            events = await store.events(TENANT, "one", after)
            assert events is not None
            assert (events.frames, events.status) == (_FRAMES[after + 1 :], "in_progress")
        assert await store.events("rival", "one", -1) is None
        await store.finish("me", _DONE, (), [(3, b"three")])
        events = await store.events(TENANT, "one", 2)
        assert events is not None
        assert (events.frames, events.status) == (((3, b"three"),), "completed")

    async def test_many_events_come_in_several_parts(self, store: Store) -> None:
        await enqueue(store, "one")
        await claim(store)
        for start in range(0, 2500, 500):
            frames = [(start + step, b"x" * 100) for step in range(500)]
            assert await store.append("me", _RUNNING, frames)
        assert await numbers(store) == [*range(2500)]
        assert await numbers(store, 2000) == [*range(2001, 2500)]

    async def test_events_that_are_written_again_are_there_once(self, store: Store) -> None:
        await enqueue(store, "one")
        await claim(store)
        for _ in range(2):
            assert await store.append("me", _RUNNING, _FRAMES)
        assert await numbers(store) == [0, 1, 2]

    async def test_deleting_a_response_takes_its_work_away(self, store: Store) -> None:
        await enqueue(store, "one", "q")
        await enqueue(store, "two", "q")
        assert await claim(store) == "one"
        assert await store.append("me", _RUNNING, _FRAMES)
        assert await store.delete(TENANT, "one")
        assert await store.delete(TENANT, "two")
        assert not await store.append("me", _RUNNING, _FRAMES)
        assert not await store.finish("me", _DONE, items("a"), ())
        assert await store.renew("me", ["one"], until=200) == {}
        assert await store.events(TENANT, "one", -1) is None
        assert await claim(store, "you", now=1000, until=2000) == ""
        await enqueue(store, "one", "q")
        assert await numbers(store) == []

    async def test_a_response_that_is_queued_already_stays_as_it_is(self, store: Store) -> None:
        await enqueue(store, "one", "q")
        await enqueue(store, "one", "r")
        await save(store, "one", "s", "a")
        assert await context(store, "one") == "q |"
        assert [await claim(store), await claim(store)] == ["one", ""]

    @pytest.mark.parametrize("gone", ["zero", "nobody"])
    async def test_nothing_is_queued_that_is_to_grow_from_what_is_gone(
        self, store: Store, gone: str
    ) -> None:
        await save(store, "zero", "q0", "a0")
        await store.delete(TENANT, "zero")
        with pytest.raises(NotFoundError):
            await enqueue(store, "one", "q1", origin=gone)
        assert await context(store, "one") == "gone"
        assert await store.items(TENANT, ["q1"]) == {}
        assert await claim(store) == ""

    async def test_a_queued_response_keeps_its_context_though_its_origin_goes(
        self, store: Store
    ) -> None:
        await save(store, "zero", "q0", "a0")
        await enqueue(store, "one", "q1", origin="zero")
        await store.delete(TENANT, "zero")
        await empty(store, 0)
        assert await claim(store) == "one"
        assert await store.finish("me", _DONE, items("a1"), ())
        assert await context(store, "one") == "q0 a0 q1 | a1"

    async def test_a_conversation_grows_when_the_response_is_made(self, store: Store) -> None:
        await talk(store, "x")
        await enqueue(store, "one", "q", origin=_FROM_TALK)
        await claim(store)
        assert await store.append("me", _RUNNING, _FRAMES)
        assert (await context(store, "one"), await said(store)) == ("x q |", "x")
        assert await store.finish("me", _DONE, items("a"), ())
        assert (await context(store, "one"), await said(store)) == ("x q | a", "x q a")

    async def test_a_conversation_does_not_go_on_with_what_came_to_nothing(
        self, store: Store
    ) -> None:
        await talk(store, "x")
        for status in sorted(FRUITLESS):
            await enqueue(store, status, "q", origin=_FROM_TALK)
            assert await claim(store) == status
            assert await store.finish("me", record(status, status=status), items("a"), ())
            assert (await context(store, status), await said(store)) == ("x q | a", "x")

    async def test_a_conversation_that_changes_meanwhile_ends_with_the_response(
        self, store: Store
    ) -> None:
        await talk(store, "x y")
        await enqueue(store, "one", "q", origin=_FROM_TALK)
        await claim(store)
        assert await store.add_items(TENANT, "talk", items("z"))
        assert await store.remove_item(TENANT, "talk", "x")
        assert await store.finish("me", _DONE, items("a"), ())
        assert (await context(store, "one"), await said(store)) == ("x y q | a", "y z q a")

    async def test_a_response_is_made_though_its_conversation_has_gone(self, store: Store) -> None:
        await talk(store, "x")
        await enqueue(store, "one", "q", origin=_FROM_TALK)
        await claim(store)
        assert await store.delete_conversation(TENANT, "talk")
        assert await store.finish("me", _DONE, items("a"), ())
        assert await context(store, "one") == "x q | a"
        with pytest.raises(NotFoundError):
            await enqueue(store, "two", "q", origin=_FROM_TALK)
        assert await context(store, "two") == "gone"
        assert await claim(store) == ""

    async def test_work_and_events_outlive_a_restart(self, store: Store, reopen: Reopen) -> None:
        if reopen is None:
            pytest.skip("this store keeps nothing for longer than its process")
        await enqueue(store, "one", "q")
        await enqueue(store, "two", "q")
        assert await claim(store) == "one"
        assert await store.append("me", _RUNNING, _FRAMES)
        async with reopen() as again:
            assert await claim(again, "you") == "two"
            assert await numbers(again) == [0, 1, 2]
            assert await store.finish("me", _DONE, items("a"), ())
            assert await again.load(TENANT, "one") == (_DONE, items("a"))
