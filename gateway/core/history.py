"""What a request builds on: earlier responses, conversations, and items by reference."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from gateway.core.intake import Intake
from gateway.core.keeper import Keeper
from gateway.core.records import read_items
from gateway.errors import InvalidRequestError, NotFoundError
from gateway.ids import is_id
from gateway.plugin.store import Origin, Record
from gateway.stream.whole_items import item_id
from gateway.types.items import Compaction, InputItem, ItemReference
from gateway.types.response import Usage

__all__ = ["Histories", "Prior"]


class _Spent(Struct, frozen=True):
    usage: Usage | None = None


_decode_spent = msgspec.json.Decoder(_Spent).decode
_UNFINISHED = frozenset({"queued", "in_progress"})


class Prior(Struct, frozen=True, kw_only=True):
    """The items that come before those of a request, and what its own will be added to.

    `tokens` is how many these are by the provider's own count, 0 if it is not known.
    """

    items: tuple[InputItem, ...] = ()
    origin: Origin = Origin()
    tokens: int = 0

    @property
    def last_id(self) -> str:
        """The id of the last item, if there is one."""
        return (item_id(self.items[-1]) if self.items else None) or ""


class Histories:
    """Finds in the store what requests build on."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    async def prior(self, intake: Intake) -> Prior:
        """Return what the request builds on.

        Raises `InvalidRequestError` for a response that is not kept or not finished, and
        `NotFoundError` for a conversation that is not there.
        """
        if intake.kept_previous_id:
            return await self._after_response(intake.tenant, intake.kept_previous_id)
        if intake.conversation_id:
            return await self._in_conversation(intake.tenant, intake.conversation_id)
        return Prior()

    async def queued(self, tenant: str, response_id: str) -> tuple[int, tuple[InputItem, ...]]:
        """Return when a response was queued that is to be made, and the whole of its input.

        Raises `NotFoundError` if it has been deleted.
        """
        history = await self._keeper.store.history(tenant, response_id)
        if history is None:
            raise NotFoundError(f"response with id {response_id!r} not found")
        return int(history.record.created_at), read_items(history.items[: history.inputs])

    async def resolved(self, items: Sequence[InputItem], tenant: str) -> tuple[InputItem, ...]:
        """Return `items` with the items that some of them refer to in their place.

        Raises `NotFoundError` for an item that is not kept.
        """
        wanted = [item.id for item in items if isinstance(item, ItemReference)]
        if not wanted:
            return tuple(items)
        kept = await self._keeper.store.items(tenant, wanted)
        for position, item in enumerate(items):
            if isinstance(item, ItemReference) and item.id not in kept:
                raise NotFoundError(
                    f"item with id {item.id!r} not found", param=f"input[{position}].id"
                )
        found = iter(read_items([kept[item_id] for item_id in wanted]))
        return tuple(next(found) if isinstance(item, ItemReference) else item for item in items)

    async def _after_response(self, tenant: str, response_id: str) -> Prior:
        history = None
        if self._keeper.keeps and is_id(response_id):
            history = await self._keeper.store.history(tenant, response_id)
        if history is None:
            raise InvalidRequestError(
                f"previous response with id {response_id!r} not found",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        if history.record.status in _UNFINISHED:
            raise InvalidRequestError(
                f"previous response with id {response_id!r} is not finished yet",
                param="previous_response_id",
            )
        items = read_items(history.items)
        compacted = any(isinstance(item, Compaction) for item in items[history.inputs :])
        return Prior(
            items=items,
            origin=Origin(response_id=response_id),
            tokens=0 if compacted else _tokens(history.record),
        )

    async def _in_conversation(self, tenant: str, conversation_id: str) -> Prior:
        items = None
        if self._keeper.keeps and is_id(conversation_id):
            items = await self._keeper.store.conversation_context(tenant, conversation_id)
        if items is None:
            raise NotFoundError(
                f"conversation with id {conversation_id!r} not found", param="conversation"
            )
        return Prior(items=read_items(items), origin=Origin(conversation_id=conversation_id))


def _tokens(record: Record) -> int:
    """Return how many tokens went into a response and came out of it."""
    usage = _decode_spent(record.body).usage or Usage()
    return usage.input_tokens + usage.output_tokens
