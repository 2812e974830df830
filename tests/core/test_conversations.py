"""Conversations on a store in memory: every operation, its limits, and who may see what."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.core.conversations import Conversations
from gateway.core.keeper import Keeper
from gateway.errors import ConflictError, InvalidRequestError, NotFoundError, StoreError
from gateway.ids import Ids
from gateway.plugin.store import Origin, Record, StoredItem
from gateway.store.memory import MemoryStore

NOW = 1_790_000_000.75
ME, OTHER = "alpha", "beta"


class CountingIds(Ids):
    """Mints `msg_1`, `conv_2` and so on."""

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self._minted = 0

    def mint(self, prefix: str) -> str:
        self._minted += 1
        return f"{prefix}_{self._minted}"


class PickyStore(MemoryStore):
    """Fails, as a database may, when it is asked for what cannot be an id."""

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if name.startswith("_"):
            return method

        def ask(*parts: Any, **options: Any) -> Any:
            for part in parts:
                if "\0" in str(getattr(part, "after", part)):
                    raise StoreError(f"{name} was asked for a text with a zero")
            return method(*parts, **options)

        return ask


@pytest.fixture
def store() -> MemoryStore:
    return PickyStore()


@pytest.fixture
def conversations(store: MemoryStore) -> Conversations:
    return Conversations(Keeper(store, retention=1, now=lambda: NOW), CountingIds())


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def said(text: str, **members: Any) -> dict[str, Any]:
    return {"role": "user", "content": text, **members}


async def read(answer: Awaitable[bytes]) -> Any:
    return json.loads(await answer)


async def made(conversations: Conversations, *texts: str) -> str:
    """Return the id of a new conversation whose items have their texts as ids."""
    items = [said(text, id=text) for text in texts]
    return (await read(conversations.create(ME, body(items=items))))["id"]


async def ids_in(conversations: Conversations, conversation_id: str) -> list[str]:
    listing = await read(conversations.list_items(ME, conversation_id, "order=asc&limit=100"))
    return [item["id"] for item in listing["data"]]


async def test_a_conversation_is_made_shown_renamed_and_forgotten(
    conversations: Conversations,
) -> None:
    created = await read(conversations.create(ME, body(metadata={"topic": "Möwen"})))
    assert created == {
        "id": "conv_1",
        "object": "conversation",
        "created_at": 1_790_000_000,
        "metadata": {"topic": "Möwen"},
    }
    assert await read(conversations.retrieve(ME, "conv_1")) == created
    changed = {**created, "metadata": {"mood": "calm"}}
    assert await read(conversations.update(ME, "conv_1", body(metadata={"mood": "calm"}))) == (
        changed
    )
    assert await read(conversations.retrieve(ME, "conv_1")) == changed
    assert await read(conversations.delete(ME, "conv_1")) == {
        "id": "conv_1",
        "object": "conversation.deleted",
        "deleted": True,
    }
    with pytest.raises(NotFoundError, match="conversation with id 'conv_1' not found"):
        await conversations.retrieve(ME, "conv_1")


@pytest.mark.parametrize("nothing", [b"", b"{}", b'{"metadata":null,"items":null}'])
async def test_a_conversation_may_begin_with_nothing(
    conversations: Conversations, nothing: bytes
) -> None:
    created = await read(conversations.create(ME, nothing))
    assert created["metadata"] == {}
    assert await read(conversations.list_items(ME, created["id"], "")) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


async def test_metadata_that_is_null_leaves_none(conversations: Conversations) -> None:
    await conversations.create(ME, body(metadata={"topic": "x"}))
    changed = await read(conversations.update(ME, "conv_1", body(metadata=None)))
    assert changed["metadata"] == {}


async def test_items_are_kept_as_the_api_lists_them(conversations: Conversations) -> None:
    items = [
        said("Hello"),
        {"role": "assistant", "content": "Yes?", "phase": "final_answer"},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "d"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "of_tomorrow", "id": "kept", "payload": {"deep": [1]}},
    ]
    conversation_id = await made(conversations)
    added = await read(conversations.add_items(ME, conversation_id, body(items=items)))
    assert added["object"] == "list"
    first, second, third, call, unknown = added["data"]
    assert first == {
        "type": "message",
        "id": added["first_id"],
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "Hello"}],
    }
    output = {"type": "output_text", "text": "Yes?", "annotations": [], "logprobs": []}
    assert (second["content"], second["phase"]) == ([output], "final_answer")
    assert third["content"] == [{"type": "input_text", "text": "d"}]
    assert call["id"].startswith("fc_")
    assert unknown == items[4]
    assert added["last_id"] == "kept"
    listed = await read(conversations.list_items(ME, conversation_id, "order=asc"))
    assert listed == added


async def test_items_are_listed_page_by_page_the_last_one_first(
    conversations: Conversations,
) -> None:
    texts = [f"item{number}" for number in range(20)]
    conversation_id = await made(conversations, *texts)
    await conversations.add_items(ME, conversation_id, body(items=[said("x", id="item20")]))
    page = await read(conversations.list_items(ME, conversation_id, "include%5B%5D=x"))
    assert [item["id"] for item in page["data"]] == ["item20", *reversed(texts[1:])]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("item20", "item1", True)
    rest = await read(conversations.list_items(ME, conversation_id, "after=item1"))
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == (["item0"], False)
    assert await ids_in(conversations, conversation_id) == [*texts, "item20"]


@pytest.mark.parametrize("item_id", ["first", "middle", "last"])
async def test_an_item_is_found_by_its_id(conversations: Conversations, item_id: str) -> None:
    conversation_id = await made(conversations, "first", "middle", "last")
    found = await read(conversations.retrieve_item(ME, conversation_id, item_id))
    assert found["id"] == found["content"][0]["text"] == item_id


async def test_conversations_may_have_different_items_of_one_id(
    conversations: Conversations,
) -> None:
    await conversations.create(ME, body(items=[said("one", id="same")]))
    await conversations.create(ME, body(items=[said("two", id="same")]))
    for conversation_id, text in (("conv_1", "one"), ("conv_2", "two")):
        item = await read(conversations.retrieve_item(ME, conversation_id, "same"))
        assert item["content"][0]["text"] == text


async def test_an_item_is_taken_out_of_its_conversation_only(
    conversations: Conversations,
) -> None:
    one = await made(conversations, "a", "b", "c")
    two = await made(conversations, "a", "b", "c")
    shown = await read(conversations.remove_item(ME, one, "b"))
    assert (shown["id"], shown["object"]) == (one, "conversation")
    assert await ids_in(conversations, one) == ["a", "c"]
    assert await ids_in(conversations, two) == ["a", "b", "c"]
    with pytest.raises(NotFoundError, match="item with id 'b' not found"):
        await conversations.remove_item(ME, one, "b")


async def test_a_reference_becomes_the_item_that_it_names(
    conversations: Conversations, store: MemoryStore
) -> None:
    record = Record(
        id="resp_1", tenant=ME, created_at=1, expires_at=9, status="", model="m", body=b"{}"
    )
    answer = StoredItem(id="msg_a", body=b'{"type":"message","id":"msg_a","role":"assistant"}')
    await store.save(record, Origin(), (), [answer])
    items = [said("before"), {"id": "msg_a"}]
    created = await read(conversations.create(ME, body(items=items)))
    found = await read(conversations.retrieve_item(ME, created["id"], "msg_a"))
    assert found == json.loads(answer.body)
    with pytest.raises(NotFoundError, match=r"^item with id 'msg_a' not found") as missing:
        await conversations.create(OTHER, body(items=items))
    assert missing.value.param == "items[1].id"


BAD_ITEMS: list[tuple[Any, str]] = [
    ([said("x")] * 21, "items"),
    ("hello", "items"),
    ([said("x", id="a"), said("y", id="a")], "items[1].id"),
    ([said("x"), {}], "items[1].type"),
    ([said("x"), {"type": 1}], "items[1].type"),
    (["x"], "items[0]"),
    ([{"role": "pilot", "content": "x"}], "items[0].role"),
    ([{"role": "user", "content": [{"type": "input_text"}]}], "items[0].content[0].text"),
    ([{"type": "compaction_trigger"}], "items[0]"),
    ([said("x", id="a\0b")], "items[0].id"),
    ([said("x", id="i" * 257)], "items[0].id"),
]


@pytest.mark.parametrize(("items", "param"), BAD_ITEMS)
async def test_items_that_cannot_be_kept_are_refused(
    conversations: Conversations, items: Any, param: str
) -> None:
    conversation_id = await made(conversations, "first")
    for attempt in (
        conversations.create(ME, body(items=items)),
        conversations.add_items(ME, conversation_id, body(items=items)),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            await attempt
        assert refused.value.param == param, refused.value.message
    assert await ids_in(conversations, conversation_id) == ["first"]


async def test_an_item_is_in_a_conversation_once(conversations: Conversations) -> None:
    one = await made(conversations, "a", "b")
    two = await made(conversations, "c")
    with pytest.raises(InvalidRequestError, match="duplicate item found with id 'b'") as refused:
        await conversations.add_items(ME, one, body(items=[said("c", id="c"), said("b", id="b")]))
    assert refused.value.param == "items[1].id"
    await conversations.add_items(ME, two, body(items=[said("b", id="b")]))
    assert await ids_in(conversations, one) == ["a", "b"]
    assert await ids_in(conversations, two) == ["c", "b"]


BAD_METADATA: list[tuple[Any, str]] = [
    ({f"key{number}": "" for number in range(17)}, "metadata"),
    ({"k" * 65: ""}, "metadata"),
    ({"k": "v" * 513}, "metadata"),
    ({"k": 1}, "metadata"),
    ("topic", "metadata"),
]


@pytest.mark.parametrize(("metadata", "param"), BAD_METADATA)
async def test_metadata_beyond_its_limits_is_refused(
    conversations: Conversations, metadata: Any, param: str
) -> None:
    conversation_id = await made(conversations)
    for attempt in (
        conversations.create(ME, body(metadata=metadata)),
        conversations.update(ME, conversation_id, body(metadata=metadata)),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            await attempt
        assert refused.value.param == param, refused.value.message


async def test_metadata_up_to_its_limits_is_kept(conversations: Conversations) -> None:
    metadata = {f"{number:x}" * 64: "ü" * 512 for number in range(16)}
    created = await read(conversations.create(ME, body(metadata=metadata)))
    assert created["metadata"] == metadata


async def test_an_update_and_an_addition_must_say_what_they_are_about(
    conversations: Conversations,
) -> None:
    conversation_id = await made(conversations)
    for attempt, param in (
        (conversations.update(ME, conversation_id, b"{}"), "metadata"),
        (conversations.add_items(ME, conversation_id, b"{}"), "items"),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            await attempt
        assert refused.value.param == param


Act = Callable[[Conversations, str, str], Awaitable[bytes]]
ITEMS = body(items=[said("x")])
ACTS: dict[str, Act] = {
    "retrieve": lambda held, tenant, name: held.retrieve(tenant, name),
    "update": lambda held, tenant, name: held.update(tenant, name, body(metadata={})),
    "delete": lambda held, tenant, name: held.delete(tenant, name),
    "add_items": lambda held, tenant, name: held.add_items(tenant, name, ITEMS),
    "list_items": lambda held, tenant, name: held.list_items(tenant, name, ""),
    "retrieve_item": lambda held, tenant, name: held.retrieve_item(tenant, name, "a"),
    "remove_item": lambda held, tenant, name: held.remove_item(tenant, name, "a"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_what_another_tenant_has_does_not_exist(
    conversations: Conversations, act: Act
) -> None:
    conversation_id = await made(conversations, "a")
    for tenant, name in ((OTHER, conversation_id), (ME, "conv_0"), (ME, "\0"), (ME, "c" * 9999)):
        with pytest.raises(NotFoundError) as missing:
            await act(conversations, tenant, name)
        assert missing.value.message == f"conversation with id {name!r} not found"
    assert await ids_in(conversations, conversation_id) == ["a"]


@pytest.mark.parametrize("item_id", ["b", "\0", "é"])
async def test_an_item_that_is_not_there_is_not_found(
    conversations: Conversations, item_id: str
) -> None:
    conversation_id = await made(conversations, "a")
    await conversations.create(ME, body(items=[said("elsewhere", id="b")]))
    for attempt in (
        conversations.retrieve_item(ME, conversation_id, item_id),
        conversations.remove_item(ME, conversation_id, item_id),
        conversations.list_items(ME, conversation_id, f"after={item_id}"),
    ):
        with pytest.raises(NotFoundError):
            await attempt


@pytest.mark.parametrize("change", ["add_items", "remove_item"])
async def test_nothing_changes_the_items_while_a_response_is_made(
    conversations: Conversations, store: MemoryStore, change: str
) -> None:
    conversation_id = await made(conversations, "a")
    await store.lock(ME, conversation_id, "a response", now=NOW, until=NOW + 30)
    with pytest.raises(ConflictError) as conflict:
        await ACTS[change](conversations, ME, conversation_id)
    assert conflict.value.code == "conversation_locked"
    assert await ids_in(conversations, conversation_id) == ["a"]
    await store.unlock(ME, conversation_id, "a response")
    await ACTS[change](conversations, ME, conversation_id)


@pytest.mark.parametrize("change", ["add_items", "remove_item"])
async def test_a_change_leaves_no_lock_behind_even_if_it_fails(
    conversations: Conversations, store: MemoryStore, change: str
) -> None:
    conversation_id = await made(conversations)
    with pytest.raises((InvalidRequestError, NotFoundError)):
        await conversations.remove_item(ME, conversation_id, "missing")
    await conversations.add_items(ME, conversation_id, body(items=[said("a", id="a")]))
    await ACTS[change](conversations, ME, conversation_id)
    assert await store.lock(ME, conversation_id, "a response", now=NOW, until=NOW + 30)


async def test_a_conversation_is_forgotten_even_while_a_response_is_made(
    conversations: Conversations, store: MemoryStore
) -> None:
    conversation_id = await made(conversations)
    await store.lock(ME, conversation_id, "a response", now=NOW, until=NOW + 30)
    assert (await read(conversations.delete(ME, conversation_id)))["deleted"] is True


async def test_an_unlock_that_fails_does_not_undo_the_change(
    conversations: Conversations, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("the store is gone")

    conversation_id = await made(conversations)
    monkeypatch.setattr(store, "unlock", fail)
    added = await read(conversations.add_items(ME, conversation_id, ITEMS))
    assert len(added["data"]) == 1


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_a_gateway_without_a_store_says_so(act: Act) -> None:
    conversations = Conversations(Keeper(None, retention=1, now=lambda: NOW), CountingIds())
    with pytest.raises(InvalidRequestError, match=r"state\.store"):
        await act(conversations, ME, "conv_1")
    with pytest.raises(InvalidRequestError, match=r"state\.store"):
        await conversations.create(ME, b"{}")
