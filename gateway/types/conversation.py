"""Conversations: their objects, their pages of items, and the bodies that create them."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gateway.types.items import InputItem
from gateway.types.open import decode_hook
from gateway.types.request import Metadata
from gateway.types.wire import Wire, answer_decoder, read_answer

__all__ = [
    "Conversation",
    "ConversationCreate",
    "ConversationDeleted",
    "ConversationItemList",
    "ConversationItemsCreate",
    "ConversationUpdate",
    "decode_conversation",
    "decode_conversation_create",
    "decode_conversation_items_create",
    "decode_conversation_update",
]

Items = Annotated[tuple[InputItem, ...], Meta(max_length=20)]


class Conversation(Wire, Struct, frozen=True, kw_only=True, dict=True):
    """A named, growing list of items; `created_at` in seconds since the epoch."""

    id: str
    object: str = "conversation"
    created_at: int | float
    metadata: dict[str, str] | None = {}


class ConversationDeleted(Wire, Struct, frozen=True, kw_only=True, dict=True):
    id: str
    object: str = "conversation.deleted"
    deleted: bool = True


class ConversationItemList(Wire, Struct, frozen=True, kw_only=True, dict=True):
    """One page of a conversation's items; the next page begins after `last_id`."""

    object: str = "list"
    data: tuple[InputItem, ...] = ()
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False


class ConversationCreate(Struct, frozen=True, kw_only=True):
    """Creates a conversation, with at most 20 items to begin with."""

    metadata: Metadata | None = None
    items: Items | None = None


class ConversationUpdate(Struct, frozen=True, kw_only=True):
    """Replaces the metadata."""

    metadata: Metadata | None


class ConversationItemsCreate(Struct, frozen=True, kw_only=True):
    """Appends at most 20 items."""

    items: Items


_conversation = answer_decoder(Conversation)


def decode_conversation(data: bytes) -> Conversation:
    return read_answer(_conversation, data)


decode_conversation_create = msgspec.json.Decoder(ConversationCreate, dec_hook=decode_hook).decode
decode_conversation_update = msgspec.json.Decoder(ConversationUpdate).decode
decode_conversation_items_create = msgspec.json.Decoder(
    ConversationItemsCreate, dec_hook=decode_hook
).decode
