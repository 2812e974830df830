"""Operations on responses that the gateway keeps itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from gateway.core.background import Background, in_background
from gateway.core.exchange import Reply, Streamed, Whole
from gateway.core.intake import Intake
from gateway.core.keeper import Keeper
from gateway.core.paging import read_number, read_page
from gateway.core.records import item_list, stored_response
from gateway.core.replay import replay
from gateway.errors import NotFoundError, StoreError
from gateway.ids import is_id
from gateway.plugin.store import Record, StoredItem
from gateway.types.response import DeletedResponse, decode_response
from gateway.types.wire import encode

__all__ = ["Kept"]


class Kept:
    """Answers for the store: each method raises `NotFoundError` for what is not the tenant's."""

    def __init__(self, keeper: Keeper, background: Background) -> None:
        self._keeper = keeper
        self._background = background

    async def answer(self, intake: Intake) -> Reply:
        """Answer an operation on a response."""
        if not (self._keeper.keeps and is_id(intake.kept_id)):
            raise _not_found(intake)
        match intake.envelope.operation:
            case "delete":
                return await self._delete(intake)
            case "input_items":
                return await self._input_items(intake)
            case "cancel":
                return await self._background.cancel(intake.tenant, intake.kept_id)
            case _:
                return await self._retrieve(intake)

    async def load(self, intake: Intake) -> tuple[Record, Sequence[StoredItem]]:
        """Return the response that `intake` is about."""
        found = await self._keeper.store.load(intake.tenant, intake.kept_id)
        if found is None:
            raise _not_found(intake)
        return found

    async def _retrieve(self, intake: Intake) -> Reply:
        record, output = await self.load(intake)
        if not intake.stream:
            return Whole(body=stored_response(record, output))
        after = read_number(intake.envelope.query, "starting_after", default=-1)
        if in_background(record):
            following = await self._background.follow(intake.tenant, intake.kept_id, after)
            return Streamed(blocks=following)
        return Streamed(blocks=replay(decode_response(stored_response(record, output)), after))

    async def _delete(self, intake: Intake) -> Whole:
        record, _ = await self.load(intake)
        if not await self._keeper.store.delete(intake.tenant, intake.kept_id):
            raise _not_found(intake)
        await self._unlock(record)
        return Whole(body=encode(DeletedResponse(id=intake.kept_id)))

    async def _unlock(self, record: Record) -> None:
        """Let others add to the conversation that a response would have been added to."""
        if conversation := decode_response(record.body).conversation:
            with suppress(StoreError):  # the response is gone, and the lock ends by itself
                await self._keeper.store.unlock(record.tenant, conversation.id, record.id)

    async def _input_items(self, intake: Intake) -> Whole:
        page = read_page(intake.envelope.query)
        found = await self._keeper.store.input_items(intake.tenant, intake.kept_id, page)
        if found is None:
            raise _not_found(intake)
        return Whole(body=item_list(found))


def _not_found(intake: Intake) -> NotFoundError:
    return NotFoundError(f"response with id {intake.kept_id!r} not found")
