"""Whatever is done to a store, in whatever order, it holds what a few dictionaries would hold."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import NotFoundError
from gateway.plugin import Conversation, Origin, Store, StoredItem
from gateway.testing.store_samples import empty, item, job, record

__all__ = ["RandomRules"]

_RESPONSES = ("r0", "r1", "r2", "r3", "r4")
_TALKS = ("t0", "t1")
_ITEMS = tuple(item(name, text) for name in ("i0", "i1", "i2") for text in ("old", "new"))

_responses = st.sampled_from(_RESPONSES)
_talks = st.sampled_from(_TALKS)
_lists = st.lists(st.sampled_from(_ITEMS), max_size=3).map(tuple)
_origins = st.one_of(
    st.just(Origin()),
    _responses.map(lambda name: Origin(response_id=name)),
    _talks.map(lambda name: Origin(conversation_id=name)),
)
_actions = st.one_of(
    st.tuples(st.just("save"), st.tuples(_responses, _origins, _lists, _lists)),
    st.tuples(
        st.just("make"), st.tuples(_responses, _origins, st.tuples(_lists, _lists, _lists), _talks)
    ),
    st.tuples(st.just("delete"), st.tuples(_responses)),
    st.tuples(st.just("create"), st.tuples(_talks, _lists)),
    st.tuples(st.just("add"), st.tuples(_talks, _lists)),
    st.tuples(st.just("remove"), st.tuples(_talks, st.sampled_from(("i0", "i1", "i2")))),
    st.tuples(st.just("end"), st.tuples(_talks)),
    st.tuples(st.just("purge"), st.just(())),
)

Items = tuple[StoredItem, ...]


class _Model:
    """What a tenant must find: for each response its input and output, for each talk its items."""

    def __init__(self) -> None:
        self.responses: dict[str, tuple[Items, Items]] = {}
        self.talks: dict[str, Items] = {}
        self.written: list[StoredItem] = []

    def before(self, origin: Origin) -> Items | None:
        """Return the context that grows from `origin`, None if that is gone."""
        if origin.conversation_id:
            return self.talks.get(origin.conversation_id)
        if not origin.response_id:
            return ()
        inputs, outputs = self.responses.get(origin.response_id, (None, ()))
        return None if inputs is None else inputs + outputs

    def save(self, name: str, origin: Origin, inputs: Items, outputs: Items) -> None:
        self.responses[name] = (inputs, outputs)
        if origin.conversation_id:
            self.talks[origin.conversation_id] = inputs + outputs

    def held(self) -> dict[str, StoredItem]:
        """Return the items that something holds, each as it was written last."""
        lists = [*self.talks.values(), *(i + o for i, o in self.responses.values())]
        there = {each.body for one in lists for each in one}
        return {each.id: each for each in self.written if each.body in there}


class _Pair:
    """A store and the model, to both of which the same is done on behalf of a new tenant."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.model = _Model()
        self.tenant = uuid4().hex

    async def save(self, name: str, origin: Origin, inputs: Items, outputs: Items) -> None:
        mine = record(name, tenant=self.tenant)
        before = await self._begin(name, origin, self.store.save(mine, origin, inputs, outputs))
        if before is None:
            return
        self.model.save(name, origin, before + inputs, outputs)
        self.model.written += inputs + outputs

    async def make(
        self, name: str, origin: Origin, lists: tuple[Items, Items, Items], talk: str
    ) -> None:
        """Make a response in the background while somebody adds to the conversation `talk`."""
        inputs, meanwhile, outputs = lists
        mine, work = record(name, tenant=self.tenant), job(name, tenant=self.tenant)
        before = await self._begin(name, origin, self.store.enqueue(mine, origin, inputs, work))
        if before is None:
            return
        self.model.written += inputs
        claimed = await self.store.claim("me", now=0, until=100)
        assert claimed is not None
        assert (claimed.tenant, claimed.response_id) == (self.tenant, name)
        await self.add(talk, meanwhile)
        assert await self.store.finish("me", mine, outputs, [(0, b"done")])
        self.model.written += outputs
        self.model.save(name, origin, before + inputs, outputs)
        if origin.conversation_id == talk:
            self.model.talks[talk] = before + meanwhile + inputs + outputs

    async def delete(self, name: str) -> None:
        there = self.model.responses.pop(name, None) is not None
        assert await self.store.delete(self.tenant, name) is there

    async def create(self, talk: str, items: Items) -> None:
        new = Conversation(id=talk, tenant=self.tenant, created_at=1.0)
        await self.store.create_conversation(new, items)
        if talk not in self.model.talks:
            self.model.talks[talk] = items
            self.model.written += items

    async def add(self, talk: str, items: Items) -> None:
        there = talk in self.model.talks
        assert await self.store.add_items(self.tenant, talk, items) is there
        if there:
            self.model.talks[talk] += items
            self.model.written += items

    async def remove(self, talk: str, item_id: str) -> None:
        items = self.model.talks.get(talk, ())
        rest = tuple(each for each in items if each.id != item_id)
        assert await self.store.remove_item(self.tenant, talk, item_id) is (rest != items)
        if talk in self.model.talks:
            self.model.talks[talk] = rest

    async def end(self, talk: str) -> None:
        there = self.model.talks.pop(talk, None) is not None
        assert await self.store.delete_conversation(self.tenant, talk) is there

    async def purge(self) -> None:
        await empty(self.store, 0)
        held = self.model.held()
        assert await self.store.items(self.tenant, ["i0", "i1", "i2"]) == held

    async def compare(self) -> None:
        for name in _RESPONSES:
            expected = self.model.responses.get(name)
            history = await self.store.history(self.tenant, name)
            found = history and (history.items[: history.inputs], history.items[history.inputs :])
            assert found == expected
        for talk in _TALKS:
            context = await self.store.conversation_context(self.tenant, talk)
            assert context == self.model.talks.get(talk)

    async def _begin(self, name: str, origin: Origin, writing: Awaitable[None]) -> Items | None:
        """Write a response; return what its context begins with, None if nothing is written: it is
        there already, or its origin is gone.
        """
        known, before = name in self.model.responses, self.model.before(origin)
        with nullcontext() if known or before is not None else pytest.raises(NotFoundError):
            await writing
        return None if known else before


class RandomRules:
    """Random histories of one tenant."""

    pytestmark = pytest.mark.asyncio

    @settings(
        deadline=None,
        max_examples=60,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,  # each example is another tenant of one store
            HealthCheck.differing_executors,  # one rule for several stores
            HealthCheck.too_slow,
        ],
    )
    @given(actions=st.lists(_actions, min_size=5, max_size=25))
    async def test_any_history_leaves_what_it_should(
        self, store: Store, actions: Sequence[tuple[str, tuple[Any, ...]]]
    ) -> None:
        pair = _Pair(store)
        for name, parts in actions:
            await getattr(pair, name)(*parts)
        await pair.compare()
        await pair.purge()
        await pair.compare()
