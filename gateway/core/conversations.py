"""The conversations that the gateway keeps: made, shown, changed and forgotten."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec

from gateway.core.intake import decode
from gateway.core.keeper import Keeper
from gateway.core.locks import LEASE
from gateway.core.paging import read_page
from gateway.core.records import item_list, stored, with_ids
from gateway.errors import ConflictError, InvalidRequestError, NotFoundError, StoreError
from gateway.ids import Ids, is_id
from gateway.plugin import store as kept
from gateway.plugin.store import Page, Slice, Store, StoredItem
from gateway.types.conversation import (
    Conversation,
    ConversationDeleted,
    decode_conversation_create,
    decode_conversation_items_create,
    decode_conversation_update,
)
from gateway.types.items import CompactionTrigger, InputItem, ItemReference
from gateway.types.open import Unknown
from gateway.types.wire import encode

__all__ = ["Conversations"]

_read_metadata = msgspec.json.Decoder(dict[str, str]).decode


class Conversations:
    """Answers the operations on conversations with JSON, for one tenant at a time.

    All raise `NotFoundError` for what the tenant does not have, `InvalidRequestError` for a bad
    request and on a gateway without a store, and `StoreError`.
    """

    def __init__(self, keeper: Keeper, ids: Ids) -> None:
        self._keeper = keeper
        self._ids = ids

    async def create(self, tenant: str, body: bytes) -> bytes:
        """Make a conversation, with items to begin with; no body is as good as `{}`."""
        wanted = decode(decode_conversation_create, body or b"{}")
        conversation = kept.Conversation(
            id=self._ids.mint("conv"),
            tenant=tenant,
            created_at=int(self._ids.now()),
            metadata=encode(wanted.metadata or {}),
        )
        items = await self._storable(tenant, wanted.items or ())
        await self._keeper.store.create_conversation(conversation, items)
        return _shown(conversation)

    async def retrieve(self, tenant: str, conversation_id: str) -> bytes:
        return _shown(await self._find(tenant, conversation_id))

    async def update(self, tenant: str, conversation_id: str, body: bytes) -> bytes:
        """Put other metadata in the place of what there was."""
        wanted = decode(decode_conversation_update, body)
        found = await self._find(tenant, conversation_id)
        changed = msgspec.structs.replace(found, metadata=encode(wanted.metadata or {}))
        if not await self._keeper.store.update_conversation(changed):
            raise _unknown(conversation_id)
        return _shown(changed)

    async def delete(self, tenant: str, conversation_id: str) -> bytes:
        """Forget a conversation, even while a response is made in it."""
        store = self._store(conversation_id)
        if not await store.delete_conversation(tenant, conversation_id):
            raise _unknown(conversation_id)
        return encode(ConversationDeleted(id=conversation_id))

    async def add_items(self, tenant: str, conversation_id: str, body: bytes) -> bytes:
        """Put items at the end, and list them. Raises `ConflictError` while a response is made."""
        wanted = decode(decode_conversation_items_create, body)
        await self._find(tenant, conversation_id)
        items = await self._storable(tenant, wanted.items)
        async with self._alone(tenant, conversation_id) as store:
            await self._refuse_repeated(tenant, conversation_id, items)
            if not await store.add_items(tenant, conversation_id, items):
                raise _unknown(conversation_id)
        return item_list(Slice(items=items, has_more=False))

    async def list_items(self, tenant: str, conversation_id: str, query: str) -> bytes:
        """List the page of items that `after`, `limit` and `order` name."""
        return item_list(await self._page(tenant, conversation_id, read_page(query)))

    async def retrieve_item(self, tenant: str, conversation_id: str, item_id: str) -> bytes:
        if not is_id(item_id):
            raise _unknown_item(item_id)
        # By its place: items of other conversations may have the same id.
        before = await self._page(tenant, conversation_id, Page(limit=1, after=item_id))
        place = Page(limit=1, order="asc", after=before.items[0].id if before.items else "")
        found = await self._page(tenant, conversation_id, place)
        if [item.id for item in found.items] != [item_id]:  # gone in the meantime
            raise _unknown_item(item_id)
        return found.items[0].body

    async def remove_item(self, tenant: str, conversation_id: str, item_id: str) -> bytes:
        """Take an item out, and show the conversation. Raises `ConflictError` while a response is
        made.
        """
        found = await self._find(tenant, conversation_id)
        async with self._alone(tenant, conversation_id) as store:
            if not is_id(item_id) or not await store.remove_item(tenant, found.id, item_id):
                raise _unknown_item(item_id)
        return _shown(found)

    async def _find(self, tenant: str, conversation_id: str) -> kept.Conversation:
        found = await self._store(conversation_id).conversation(tenant, conversation_id)
        if found is None:
            raise _unknown(conversation_id)
        return found

    async def _page(self, tenant: str, conversation_id: str, page: Page) -> Slice:
        store = self._store(conversation_id)
        found = await store.conversation_items(tenant, conversation_id, page)
        if found is None:
            raise _unknown(conversation_id)
        return found

    def _store(self, conversation_id: str) -> Store:
        """Return the store that may have such a conversation."""
        store = self._keeper.store
        if not is_id(conversation_id):
            raise _unknown(conversation_id)
        return store

    @asynccontextmanager
    async def _alone(self, tenant: str, conversation_id: str) -> AsyncGenerator[Store]:
        """Keep others, responses above all, from changing a conversation meanwhile."""
        store, owner, now = self._keeper.store, self._ids.mint("change"), self._ids.now()
        try:
            if not await store.lock(tenant, conversation_id, owner, now=now, until=now + LEASE):
                raise ConflictError(
                    f"somebody else is at work on the conversation {conversation_id!r},"
                    " try again in a few seconds",
                    code="conversation_locked",
                )
            yield store
        finally:  # also if nobody can say whether the lock was taken
            with suppress(StoreError):  # the change is made, and the lock ends by itself
                await store.unlock(tenant, conversation_id, owner)

    async def _storable(self, tenant: str, items: Sequence[InputItem]) -> tuple[StoredItem, ...]:
        """Return a client's items as they are kept, references as what they stand for."""
        for index, item in enumerate(items):
            _refuse_unusable(item, f"items[{index}]")
        named = [item.id for item in items if isinstance(item, ItemReference)]
        known: Mapping[str, StoredItem] = {}
        if named:
            known = await self._keeper.store.items(tenant, named)
        listed: dict[str, StoredItem] = {}
        for index, item in enumerate(stored(with_ids(items, self._ids.mint))):
            if not is_id(item.id):
                raise _refusal("an id is at most 256 characters of ASCII", f"items[{index}].id")
            if item.id in listed:
                raise _repetition(item.id, f"items[{index}].id")
            if isinstance(items[index], ItemReference) and item.id not in known:
                raise NotFoundError(
                    f"item with id {item.id!r} not found", param=f"items[{index}].id"
                )
            listed[item.id] = known.get(item.id, item)
        return tuple(listed.values())

    async def _refuse_repeated(
        self, tenant: str, conversation_id: str, items: Sequence[StoredItem]
    ) -> None:
        """Refuse items that a conversation has already, for an id must find one item."""
        known = await self._keeper.store.items(tenant, [item.id for item in items])
        for index, item in enumerate(items):
            if item.id not in known:
                continue
            with suppress(NotFoundError):
                await self._page(tenant, conversation_id, Page(limit=1, after=item.id))
                raise _repetition(item.id, f"items[{index}].id")


def _shown(conversation: kept.Conversation) -> bytes:
    return encode(
        Conversation(
            id=conversation.id,
            created_at=int(conversation.created_at),
            metadata=_read_metadata(conversation.metadata),
        )
    )


def _refuse_unusable(item: InputItem, path: str) -> None:
    if isinstance(item, CompactionTrigger):
        raise _refusal("a compaction_trigger asks for a response and cannot be kept", path)
    if isinstance(item, Unknown) and not item.type:
        raise _refusal("an item must say its type", f"{path}.type")


def _repetition(item_id: str, path: str) -> InvalidRequestError:
    return _refusal(f"duplicate item found with id {item_id!r}, leave it out", path)


def _refusal(reason: str, path: str) -> InvalidRequestError:
    return InvalidRequestError(f"{path}: {reason}", code="invalid_value", param=path)


def _unknown(conversation_id: str) -> NotFoundError:
    return NotFoundError(f"conversation with id {conversation_id!r} not found")


def _unknown_item(item_id: str) -> NotFoundError:
    return NotFoundError(f"item with id {item_id!r} not found in the conversation")
