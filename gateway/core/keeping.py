"""Keeping a response: saved before its end is seen, or said not to be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec.structs import replace

from gateway.core.history import Prior
from gateway.core.keeper import Keeper
from gateway.core.records import raw_record, record_of, stored, with_lasting_ids
from gateway.errors import NotFoundError, StoreError
from gateway.plugin.store import FRUITLESS, Origin, Record, StoredItem
from gateway.types.items import InputItem
from gateway.types.response import Response

__all__ = ["Keeping", "write_grown"]

Write = Callable[[Origin, Sequence[StoredItem]], Awaitable[None]]


class Keeping:
    """Saves one response, with what it was asked, for one tenant.

    `store` is what the request says of it: True or False if it says so, None if it does not.
    """

    def __init__(self, keeper: Keeper, *, tenant: str, store: bool | None) -> None:
        self._keeper = keeper
        self._tenant = tenant
        self._store = store
        self.wanted = keeper.keeps and (keeper.answers if store is None else store)
        """Whether the response is to be kept: if nobody says so, only if the store answers now."""

    def inputs(self, prior: Prior, items: Sequence[InputItem]) -> tuple[StoredItem, ...]:
        """Return the request's own items as they are kept."""
        return stored(with_lasting_ids(items, prior.last_id))

    async def keep(self, response: Response, prior: Prior, items: Sequence[InputItem]) -> Response:
        """Return `response` as the client is to see it, saved if that was to be.

        A store that fails is no reason to lose an answer that nobody asked to be kept: then it says
        `"store": false`. Raises `StoreError` if somebody did.
        """
        conversation = prior.origin.conversation_id
        if not (self.wanted or conversation):
            return response
        try:
            await self._save(response, prior, items)
        except StoreError:
            if self._store or conversation:
                raise
            return replace(response, store=False)
        return response

    async def keep_native(
        self, body: bytes, prior: Prior, items: Sequence[InputItem]
    ) -> Mapping[str, object]:
        """Save what a native upstream has answered, `body`, in its place; return what must be
        different in it for the client. Raises `StoreError` if somebody insists on it.
        """
        if not self.wanted:
            await self.append(body, prior, items)
            return {}
        record, outputs = raw_record(body, self._tenant, self._keeper.expiry())
        try:
            await self._write(record, prior, self.inputs(prior, items), outputs)
        except StoreError:
            if self._store or prior.origin.conversation_id:
                raise
            return {"store": False}
        return {}

    async def append(self, body: bytes, prior: Prior, items: Sequence[InputItem]) -> None:
        """Add what a native upstream has answered to the conversation. Raises `StoreError`."""
        record, outputs = raw_record(body, self._tenant, self._keeper.expiry())
        if conversation := _going_on(prior, record.status).origin.conversation_id:
            added = (*self.inputs(prior, items), *outputs)
            await self._add(conversation, added)

    async def _save(self, response: Response, prior: Prior, items: Sequence[InputItem]) -> None:
        inputs, outputs = self.inputs(prior, items), stored(response.output)
        if self.wanted:
            record = record_of(response, self._tenant, self._keeper.expiry())
            await self._write(record, prior, inputs, outputs)
        elif conversation := _going_on(prior, response.status).origin.conversation_id:
            await self._add(conversation, (*inputs, *outputs))

    async def _write(
        self,
        record: Record,
        prior: Prior,
        inputs: Sequence[StoredItem],
        outputs: Sequence[StoredItem],
    ) -> None:
        store = self._keeper.store
        await write_grown(
            lambda origin, told: store.save(record, origin, told, outputs),
            _going_on(prior, record.status),
            inputs,
        )

    async def _add(self, conversation_id: str, items: Sequence[StoredItem]) -> None:
        if not await self._keeper.store.add_items(self._tenant, conversation_id, items):
            raise NotFoundError(f"conversation with id {conversation_id!r} is gone")


async def write_grown(write: Write, prior: Prior, inputs: Sequence[StoredItem]) -> None:
    """Have `write` keep a response that grows from `prior` with its own `inputs`.

    If the response that it follows has gone since it was read, the new one is written with the
    whole context as its own. Raises `NotFoundError` if a conversation has gone, and `StoreError`.
    """
    try:
        await write(prior.origin, inputs)
    except NotFoundError:
        if not prior.origin.response_id:
            raise
        await write(Origin(), (*stored(prior.items), *inputs))


def _going_on(prior: Prior, status: str | None) -> Prior:
    """Return `prior`, but without a conversation that a failed response is no part of."""
    failed = status in FRUITLESS
    return replace(prior, origin=Origin()) if failed and prior.origin.conversation_id else prior
