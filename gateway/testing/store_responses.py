"""Rules for how a store keeps responses and their contexts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal

import pytest

from gateway.errors import NotFoundError
from gateway.plugin import Origin, Page, Record, Store, StoredItem
from gateway.testing.store_samples import (
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

__all__ = ["Reopen", "ResponseRules"]

Order = Literal["asc", "desc"]
Reopen = Callable[[], AbstractAsyncContextManager[Store]] | None

_TEXTS = ("", "\\u0000", "żółć", "日本語", "👩‍👩‍👧‍👦", "\u2028", "a" * 2_000_000, '\\"\\\\\\n')
_NAMES = ("żółć", "日本語 👩‍👩‍👧‍👦", "'; DROP TABLE responses; --", "%", "_", "a" * 500, "a  b")


class ResponseRules:
    """Saving, loading, continuing and deleting."""

    pytestmark = pytest.mark.asyncio

    async def test_what_is_saved_comes_back_byte_for_byte(self, store: Store) -> None:
        saved = record("one", body=b'{ "output": [],\n "n": 1.0 }')
        inputs = tuple(
            StoredItem(id=f"item_{number}", body=f'{{"text" : "{text}"}}'.encode())
            for number, text in enumerate(_TEXTS)
        )
        await store.save(saved, Origin(), inputs, inputs[::-1])
        assert await store.load(TENANT, "one") == (saved, inputs[::-1])
        history = await store.history(TENANT, "one")
        assert history is not None
        assert (history.record, history.inputs) == (saved, len(_TEXTS))
        assert history.items == inputs + inputs[::-1]

    @pytest.mark.parametrize("name", _NAMES)
    async def test_names_may_be_any_text(self, store: Store, name: str) -> None:
        mine = Record(
            id=name, tenant=name, created_at=1.5, expires_at=2e9, status=name, model=name, body=b""
        )
        await store.save(mine, Origin(), (item(name),), ())
        assert await store.load(name, name) == (mine, ())
        assert await store.items(name, [name]) == {name: item(name)}
        assert await context(store, name, tenant=name) == f"{name} |"

    @pytest.mark.parametrize(
        "name", ["", "two", "ONE", "one ", "one\0", "q\0", "\0", "ońe", "%", "o_e"]
    )
    async def test_what_was_never_saved_is_not_there(self, store: Store, name: str) -> None:
        await save(store, "one", "q", "a")
        assert await context(store, name) == "gone"
        assert await store.events(TENANT, name, -1) is None
        assert not await store.delete(TENANT, name)
        assert not await store.cancel(TENANT, name)
        assert await store.items(TENANT, [name]) == {}
        assert await context(store, "one", tenant=name) == "gone"

    @pytest.mark.parametrize(
        ("inputs", "outputs", "told", "continued"),
        [
            ("", "", "|", "|"),
            ("q", "", "q |", "q |"),
            ("", "a", "| a", "a |"),
            ("q r s", "a b", "q r s | a b", "q r s a b |"),
        ],
    )
    async def test_lists_may_be_empty(
        self, store: Store, inputs: str, outputs: str, told: str, continued: str
    ) -> None:
        await save(store, "one", inputs, outputs)
        await save(store, "two", "", "", origin="one")
        assert await context(store, "one") == told
        assert await context(store, "two") == continued

    async def test_a_response_knows_all_turns_before_it(self, store: Store) -> None:
        await save(store, "one", "q1", "a1")
        await save(store, "two", "q2", "a2", origin="one")
        await save(store, "three", "q3", "a3", origin="two")
        assert await context(store, "one") == "q1 | a1"
        assert await context(store, "two") == "q1 a1 q2 | a2"
        assert await context(store, "three") == "q1 a1 q2 a2 q3 | a3"

    async def test_many_may_follow_the_same_response(self, store: Store) -> None:
        await save(store, "root", "q", "a")
        await save(store, "left", "l", "m", origin="root")
        await save(store, "right", "r", "s", origin="root")
        await save(store, "below", "x", "y", origin="left")
        assert await context(store, "root") == "q | a"
        assert await context(store, "left") == "q a l | m"
        assert await context(store, "right") == "q a r | s"
        assert await context(store, "below") == "q a l m x | y"

    async def test_a_chain_of_200_turns_is_whole(self, store: Store) -> None:
        for turn in range(200):
            last = f"r{turn - 1}" if turn else ""
            await save(store, f"r{turn}", f"q{turn}", f"a{turn}", origin=last)
        told = " ".join(f"q{turn} a{turn}" for turn in range(199))
        assert await context(store, "r199") == f"{told} q199 | a199"

    async def test_a_turn_may_have_a_thousand_items(self, store: Store) -> None:
        names = " ".join(f"item{number}" for number in range(1000))
        await save(store, "one", names, names)
        assert await context(store, "one") == f"{names} | {names}"

    async def test_an_item_may_be_in_a_list_twice(self, store: Store) -> None:
        await save(store, "one", "q q", "q a q")
        await save(store, "two", "q", "a", origin="one")
        assert await context(store, "two") == "q q q a q q | a"

    async def test_deleting_a_response_breaks_no_other(self, store: Store) -> None:
        await save(store, "one", "q1", "a1")
        await save(store, "two", "q2", "a2", origin="one")
        await save(store, "three", "q3", "a3", origin="two")
        for response_id in ("two", "one"):
            assert await store.delete(TENANT, response_id)
            assert not await store.delete(TENANT, response_id)
            assert await context(store, response_id) == "gone"
            assert await context(store, "three") == "q1 a1 q2 a2 q3 | a3"
        await save(store, "four", "q4", "a4", origin="three")
        assert await context(store, "four") == "q1 a1 q2 a2 q3 a3 q4 | a4"

    @pytest.mark.parametrize("gone", ["one", "nobody"])
    async def test_nothing_is_saved_that_is_to_grow_from_what_is_gone(
        self, store: Store, gone: str
    ) -> None:
        await save(store, "one", "q1", "a1")
        await store.delete(TENANT, "one")
        with pytest.raises(NotFoundError):
            await save(store, "two", "q2", "a2", origin=gone)
        assert await context(store, "two") == "gone"
        assert await store.items(TENANT, ["q2", "a2"]) == {}

    async def test_what_has_expired_can_be_built_on_until_it_is_purged(self, store: Store) -> None:
        await save(store, record("one", expires_at=100.0), "q1", "a1")
        await save(store, "two", "q2", "a2", origin="one")
        await empty(store, 100.0)
        with pytest.raises(NotFoundError):
            await save(store, "three", "q3", "a3", origin="one")
        assert await context(store, "two") == "q1 a1 q2 | a2"
        assert await context(store, "three") == "gone"

    async def test_a_context_that_is_saved_as_a_whole_is_like_one_that_grew(
        self, store: Store
    ) -> None:
        await save(store, "one", "q1 shared", "a1")
        await save(store, "grown", "q2 shared", "a2", origin="one")
        await save(store, "whole", "q1 shared a1 q2 shared", "a2")
        await store.delete(TENANT, "one")
        await empty(store, 0)
        for child in ("grown", "whole"):
            assert await context(store, child) == "q1 shared a1 q2 shared | a2"
            await save(store, f"after {child}", "q3", "a3", origin=child)
            told = await context(store, f"after {child}")
            assert told == "q1 shared a1 q2 shared a2 q3 | a3"
            await store.delete(TENANT, child)
            await empty(store, 0)

    async def test_a_response_that_is_there_is_known_though_its_origin_is_gone(
        self, store: Store
    ) -> None:
        await save(store, "one", "q1", "a1")
        await save(store, "two", "q2", "a2", origin="one")
        await store.delete(TENANT, "one")
        await save(store, "two", "q2", "a2", origin="one")
        await enqueue(store, "two", "q2", origin="one")
        assert await context(store, "two") == "q1 a1 q2 | a2"

    async def test_a_response_that_is_there_already_stays_as_it_is(self, store: Store) -> None:
        await save(store, "one", "q", "a")
        await save(store, record("one", status="failed"), "r", "b")
        assert await context(store, "one") == "q | a"
        assert await store.load(TENANT, "one") == (record("one"), items("a"))

    async def test_items_are_found_by_their_ids(self, store: Store) -> None:
        await save(store, "one", "q1", "a1")
        await save(store, "two", "q2", "a2", origin="one")
        found = await store.items(TENANT, ["a2", "q1", "nobody", "a2"])
        assert found == {"a2": item("a2"), "q1": item("q1")}
        assert await store.items(TENANT, []) == {}
        names = [f"item{number}" for number in range(2000)]
        await save(store, "many", " ".join(names), "")
        assert await store.items(TENANT, names) == {name: item(name) for name in names}

    async def test_an_item_is_found_as_it_was_written_last(self, store: Store) -> None:
        old, new = item("q", "old"), item("q", "new")
        for number, version in enumerate((old, new, old)):
            await store.save(record(f"r{number}"), Origin(), (version,), ())
            assert await store.items(TENANT, ["q"]) == {"q": version}
        await store.save(record("both"), Origin(), (old, new), ())
        assert await store.items(TENANT, ["q"]) == {"q": new}
        writing = [store.save(record("r0"), Origin(), (old,), ()), save(store, "other", "r", "b")]
        await asyncio.gather(*writing)
        assert await store.items(TENANT, ["q"]) == {"q": new}, "what was there was not written"
        assert await context(store, "other") == "r | b"
        loaded = [await store.history(TENANT, f"r{number}") for number in range(3)]
        assert [found and found.items for found in loaded] == [(old,), (new,), (old,)]

    async def test_tenants_do_not_see_each_other(self, store: Store) -> None:
        await save(store, "one", "q", "a")
        assert await context(store, "one", tenant="rival") == "gone"
        assert await store.items("rival", ["q", "a"]) == {}
        assert not await store.delete("rival", "one")
        with pytest.raises(NotFoundError):
            await store.save(record("two", tenant="rival"), Origin(response_id="one"), (), ())
        assert await context(store, "two", tenant="rival") == "gone"
        await store.save(record("one", tenant="rival"), Origin(), items("q"), items("b"))
        assert await context(store, "one", tenant="rival") == "q | b"
        assert await store.delete("rival", "one")
        assert await context(store, "one") == "q | a"

    @pytest.mark.parametrize("order", ["asc", "desc"])
    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
    async def test_pages_show_each_input_item_once(
        self, store: Store, limit: int, order: Order
    ) -> None:
        await save(store, "one", "q1 r1", "a1")
        await save(store, "two", "q2", "a2", origin="one")
        await save(store, "three", "q3", "a3", origin="two")
        shown: list[StoredItem] = []
        after, has_more = "", True
        while has_more:
            page = Page(limit=limit, order=order, after=after)
            found = await store.input_items(TENANT, "three", page)
            assert found is not None
            shown += found.items
            after, has_more = shown[-1].id, found.has_more
            assert len(found.items) == limit or not has_more
            assert has_more == (len(shown) < 6)
        assert sentence(shown if order == "asc" else shown[::-1]) == "q1 r1 a1 q2 a2 q3"

    async def test_a_page_is_the_last_20_unless_it_says_otherwise(self, store: Store) -> None:
        await save(store, "one", " ".join(f"q{number}" for number in range(30)), "a")
        found = await store.input_items(TENANT, "one", Page())
        assert found is not None
        assert sentence(found.items) == " ".join(f"q{number}" for number in range(29, 9, -1))
        assert found.has_more

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_a_page_may_be_empty(self, store: Store, order: Order) -> None:
        await save(store, "one", "q r", "a")
        last = Page(order=order, after="r" if order == "asc" else "q")
        found = await store.input_items(TENANT, "one", last)
        assert found is not None
        assert (found.items, found.has_more) == ((), False)
        await save(store, "two", "", "a")
        found = await store.input_items(TENANT, "two", Page(order=order))
        assert found is not None
        assert (found.items, found.has_more) == ((), False)

    @pytest.mark.parametrize("name", ["nobody", "a", "other", "\0"])
    async def test_a_page_cannot_begin_after_what_is_not_there(
        self, store: Store, name: str
    ) -> None:
        await save(store, "two", "other", "")
        await save(store, "one", "q", "a")
        with pytest.raises(NotFoundError):
            await store.input_items(TENANT, "one", Page(after=name))
        assert await store.input_items(TENANT, "nobody", Page(after=name)) is None

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_pages_come_to_an_end_if_an_item_is_there_twice(
        self, store: Store, order: Order
    ) -> None:
        await save(store, "one", "q r q s q", "a")
        page, steps = Page(limit=1, order=order), 0
        while (found := await store.input_items(TENANT, "one", page)) and found.has_more:
            page, steps = Page(limit=1, order=order, after=found.items[-1].id), steps + 1
            assert steps < 5

    async def test_many_may_write_at_once(self, store: Store) -> None:
        await save(store, "root", "q", "a")

        async def write(writer: int) -> None:
            last = "root"
            for turn in range(10):
                this = f"w{writer}t{turn}"
                await save(store, this, f"shared q{this}", "shared", origin=last)
                last = this

        await asyncio.gather(*(write(writer) for writer in range(10)))
        for writer in range(10):
            turns = " ".join(f"shared qw{writer}t{turn} shared" for turn in range(9))
            told = await context(store, f"w{writer}t9")
            assert told == f"q a {turns} shared qw{writer}t9 | shared"

    async def test_of_many_who_write_the_same_response_one_wins(self, store: Store) -> None:
        await asyncio.gather(*(save(store, "one", f"q{n}", f"a{n}") for n in range(10)))
        told = await context(store, "one")
        assert told in {f"q{n} | a{n}" for n in range(10)}

    async def test_deleting_and_continuing_at_once_does_either_first(self, store: Store) -> None:
        for number in range(20):
            await save(store, f"p{number}", "q", "a")
            _, refused = await asyncio.gather(
                store.delete(TENANT, f"p{number}"),
                save(store, f"c{number}", "r", "b", origin=f"p{number}"),
                return_exceptions=True,
            )
            assert refused is None or isinstance(refused, NotFoundError)
            assert await context(store, f"c{number}") == ("gone" if refused else "q a r | b")

    async def test_who_stops_waiting_leaves_nothing_half_done(self, store: Store) -> None:
        tasks = [asyncio.create_task(save(store, f"r{n}", "q r", "a b")) for n in range(20)]
        for number, task in enumerate(tasks):
            if number % 3:
                task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        for number in range(20):
            allowed = ("q r | a b", "gone") if number % 3 else ("q r | a b",)
            assert await context(store, f"r{number}") in allowed
        assert await store.ready()

    async def test_what_is_saved_outlives_a_restart(self, store: Store, reopen: Reopen) -> None:
        if reopen is None:
            pytest.skip("this store keeps nothing for longer than its process")
        await save(store, "one", "q1", "a1")
        await save(store, "two", "q2", "a2", origin="one")
        async with reopen() as again:
            assert await context(again, "two") == "q1 a1 q2 | a2"
            await save(again, "three", "q3", "a3", origin="two")
        assert await context(store, "three") == "q1 a1 q2 a2 q3 | a3"
