"""Responses and items on their way into the store, and out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import blake2b

import msgspec
from msgspec import UNSET, Raw, Struct

from gateway.errors import UpstreamProtocolError
from gateway.plugin.store import Record, Slice, StoredItem
from gateway.stream.splice import join_members, read_members, splice
from gateway.stream.whole_items import changed, id_prefix, item_id
from gateway.types.content import ContentPart, InputText, OutputText
from gateway.types.items import InputItem, Message, Reasoning
from gateway.types.open import decode_hook
from gateway.types.request import Request
from gateway.types.response import InputItemList, Response
from gateway.types.wire import encode

__all__ = [
    "input_items",
    "item_list",
    "raw_record",
    "read_items",
    "record_of",
    "stored",
    "stored_response",
    "with_ids",
    "with_lasting_ids",
]


class _Named(Struct, frozen=True):
    id: str = ""


class _Told(Struct, frozen=True):
    """What is read of a response that an upstream has made."""

    id: str = ""
    created_at: float = 0
    status: str = ""
    model: str = ""
    output: tuple[Raw, ...] = ()


_ID_BYTES = 24
_decode_named = msgspec.json.Decoder(_Named).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_decode_items = msgspec.json.Decoder(tuple[InputItem, ...], dec_hook=decode_hook).decode


def input_items(request: Request) -> tuple[InputItem, ...]:
    """Return the input of `request` as items, be it a bare text."""
    if isinstance(request.input, str):
        return (Message(role="user", content=request.input),)
    return request.input or ()


def with_ids(items: Iterable[InputItem], mint: Callable[[str], str]) -> tuple[InputItem, ...]:
    """Return `items` as the API lists them: each with an id, messages in parts and complete."""
    return tuple(_completed(item, mint) for item in items)


def with_lasting_ids(items: Iterable[InputItem], after: str) -> tuple[InputItem, ...]:
    """Return `items` like `with_ids`, with ids that follow from what they say and come after:
    first the item with the id `after`. So a client that sends its whole history each time sends
    the same items each time, and they are stored once.
    """
    named: list[InputItem] = []
    for item in items:
        named.append(_completed(item, partial(_lasting_id, after, item)))
        after = item_id(named[-1]) or ""
    return tuple(named)


def stored(items: Iterable[InputItem]) -> tuple[StoredItem, ...]:
    """Return `items`, which have ids, as the store keeps them."""
    return tuple(StoredItem(id=item_id(item) or "", body=encode(item)) for item in items)


def read_items(items: Sequence[StoredItem]) -> tuple[InputItem, ...]:
    return _decode_items(_array(items))


def record_of(response: Response, tenant: str, expires_at: float) -> Record:
    """Return `response` as the store keeps it: its output goes there as items."""
    return Record(
        id=response.id,
        tenant=tenant,
        created_at=response.created_at,
        expires_at=expires_at,
        status=response.status or "",
        model=response.model,
        body=encode(msgspec.structs.replace(response, output=())),
    )


def raw_record(body: bytes, tenant: str, expires_at: float) -> tuple[Record, list[StoredItem]]:
    """Return a response that an upstream has made, JSON, as the store keeps it, and its output.

    Raises `UpstreamProtocolError` if it is none.
    """
    try:
        told = _decode_told(body)
        outputs = [StoredItem(id=_decode_named(raw).id, body=bytes(raw)) for raw in told.output]
    except msgspec.DecodeError as error:
        raise UpstreamProtocolError(f"the provider sent a broken response: {error}") from error
    record = Record(
        id=told.id,
        tenant=tenant,
        created_at=told.created_at,
        expires_at=expires_at,
        status=told.status,
        model=told.model,
        body=splice(body, {"output": ()}),
    )
    return record, outputs


def stored_response(record: Record, output: Sequence[StoredItem]) -> bytes:
    """Return the JSON of a kept response, the same that the client got when it was made."""
    members = read_members(record.body)
    members["output"] = Raw(_array(output))
    return join_members(members)


def item_list(found: Slice) -> bytes:
    """Return the JSON of a page of items."""
    items = found.items
    return encode(
        InputItemList(
            data=read_items(items),
            first_id=items[0].id if items else None,
            last_id=items[-1].id if items else None,
            has_more=found.has_more,
        )
    )


def _completed(item: InputItem, mint: Callable[[str], str]) -> InputItem:
    if not item_id(item):
        item = changed(item, id=mint(id_prefix(item)))
    if isinstance(item, Message):
        item = msgspec.structs.replace(item, content=_parts(item))
    # What a client sends is over, and the SDKs' types want it to say so. Thoughts need not.
    unsaid = getattr(item, "status", "") is UNSET and not isinstance(item, Reasoning)
    return changed(item, status="completed") if unsaid else item


def _lasting_id(after: str, item: InputItem, prefix: str) -> str:
    said = b"\0".join((after.encode(), encode(item)))
    return f"{prefix}_{blake2b(said, digest_size=_ID_BYTES).hexdigest()}"


def _parts(message: Message) -> tuple[ContentPart, ...]:
    if not isinstance(message.content, str):
        return message.content
    if message.role == "assistant":
        return (OutputText(text=message.content),)
    return (InputText(text=message.content),)


def _array(items: Sequence[StoredItem]) -> bytes:
    return b"[" + b",".join(item.body for item in items) + b"]"
