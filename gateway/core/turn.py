"""One create request in its context: what it builds on, and what becomes of its response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from msgspec import UNSET, Raw
from msgspec.structs import replace

from gateway.core.history import Histories, Prior
from gateway.core.intake import Intake, decode
from gateway.core.keeper import Keeper
from gateway.core.keeping import Keeping
from gateway.core.locks import Lock, Locks
from gateway.core.records import input_items
from gateway.errors import GatewayError, InvalidRequestError
from gateway.ids import Ids, is_carrier, is_id
from gateway.plugin.deployment import Deployment
from gateway.plugin.store import StoredItem
from gateway.stream.splice import DROP
from gateway.stream.whole_items import item_id
from gateway.types.items import InputItem, ItemReference, Reasoning
from gateway.types.open import Unknown
from gateway.types.request import decode_request
from gateway.types.response import Response
from gateway.types.wire import encode

__all__ = ["Turn"]


class Turn:
    """Owns the place of one request in the history of its tenant.

    `open` finds what it builds on, `settle` keeps its response, `abandon` gives up. `asked` is the
    request as it came, `request` the same with all earlier items in its input, `response_id` the id
    that its response will have.
    """

    def __init__(
        self,
        intake: Intake,
        keeper: Keeper,
        ids: Ids,
        *,
        brought: tuple[InputItem, ...] = (),
        response_id: str = "",
    ) -> None:
        """Begin a turn, or with `response_id` go on with one in the background: whoever does that
        keeps the response himself. `brought` is history that is kept elsewhere.
        """
        self.asked = decode(decode_request, intake.envelope.body)
        self.request = self.asked
        self.response_id = response_id or ids.mint("resp")
        self.created_at = int(ids.now())
        self.prior = Prior()
        self._tenant = intake.tenant
        self._keeper = keeper
        self._keeping = Keeping(keeper, tenant=intake.tenant, store=self.asked.store)
        self._kept_elsewhere = bool(response_id)
        self._brought = brought
        self._items: tuple[InputItem, ...] = ()
        self._lock: Lock | None = None

    @property
    def kept(self) -> bool:
        """Whether the response is to be kept."""
        return self._kept_elsewhere or self._keeping.wanted

    @property
    def inputs(self) -> tuple[StoredItem, ...]:
        """The items that this turn adds to its context, as they are kept."""
        return self._keeping.inputs(self.prior, self._added)

    @property
    def earlier(self) -> tuple[InputItem, ...]:
        """The items that the request builds on."""
        return (*self.prior.items, *self._brought)

    @property
    def own(self) -> tuple[InputItem, ...]:
        """The items that the request itself brings."""
        return self._items

    @property
    def _added(self) -> tuple[InputItem, ...]:
        return (*self._brought, *self._items)

    async def open(self, intake: Intake, histories: Histories, locks: Locks) -> None:
        """Find what the request builds on.

        Raises `InvalidRequestError`, `NotFoundError`, `ConflictError` if another response is being
        added to the same conversation, and `StoreError`.
        """
        if self._kept_elsewhere:
            await self._go_on(histories)
            return
        if self.asked.store:
            self._keeper.insist()
        adds = intake.envelope.operation == "create" and bool(intake.conversation_id)
        if adds and self._keeper.keeps:
            self._lock = await locks.take(self._tenant, intake.conversation_id, self.response_id)
        try:
            self.prior = await histories.prior(intake)
            own = input_items(self.asked)
            _check_ids(own, self.earlier)
            self._items = await histories.resolved(own, self._tenant)
        except BaseException:
            self.abandon()
            raise
        if self.earlier or self._items != input_items(self.asked):
            self.request = replace(self.asked, input=(*self.earlier, *self._items))

    async def _go_on(self, histories: Histories) -> None:
        """Find what has been queued: what it was built on may be gone by now."""
        self.created_at, items = await histories.queued(self._tenant, self.response_id)
        earlier = len(items) - len(input_items(self.asked))
        self.prior, self._items = Prior(items=items[:earlier]), items[earlier:]
        self.request = replace(self.asked, input=items)

    def param(self, path: str) -> str:
        """Return what the client calls the part of `request` at `path`."""
        before, count = path.partition("]")[0], len(self.earlier)
        if not count or not before.startswith("input["):
            return path
        position = int(before.removeprefix("input["))
        if position >= count:
            return f"input[{position - count}]{path.partition(']')[2]}"
        return "conversation" if self.prior.origin.conversation_id else "previous_response_id"

    def native_changes(self, deployment: Deployment) -> dict[str, object]:
        """Return what the body must say to an upstream that does not know the context."""
        held = self.held(deployment)
        changes: dict[str, object] = {"store": False} if held else {}
        if held or self.earlier or self.prior.origin.conversation_id:
            told = [*map(_told_to_others, filter(_may_be_told, self.earlier)), *self._items]
            items = b"[" + b",".join(map(encode, told)) + b"]"
            changes |= {"input": Raw(items), "previous_response_id": DROP, "conversation": DROP}
        return changes

    def held(self, deployment: Deployment) -> bool:
        """Say whether the gateway keeps the response in place of an upstream that could."""
        return deployment.history == "gateway" and self._keeper.keeps

    def named(self, upstream_id: str) -> str:
        """Return the id of the response, whatever the upstream calls it."""
        return self.response_id

    def native_echo(self) -> dict[str, object]:
        """Return what a held response says of its context, of which the upstream knows nothing."""
        echo: dict[str, object] = {
            "store": self.kept,
            "previous_response_id": self.asked.previous_response_id,
        }
        if conversation_id := self.prior.origin.conversation_id:
            echo["conversation"] = {"id": conversation_id}
        return echo

    async def settle(self, response: Response) -> Response:
        """Return `response` as the client is to see it: it is kept by then, or says that it is not.

        Raises `StoreError` if it cannot be kept, and somebody insists.
        """
        if self._kept_elsewhere:
            return response
        async with self._to_the_end():
            return await self._keeping.keep(response, self.prior, self._added)

    async def append(self, body: bytes, deployment: Deployment) -> Mapping[str, object]:
        """Keep of `body`, what a native upstream has answered, whatever it does not keep itself.

        Returns what must be different in it for the client. Raises `StoreError` if it cannot be
        kept, and somebody insists.
        """
        async with self._to_the_end():
            if body and self.held(deployment):
                return await self._keeping.keep_native(body, self.prior, self._added)
            if body and self.prior.origin.conversation_id:
                await self._keeping.append(body, self.prior, self._added)
        return {}

    @asynccontextmanager
    async def _to_the_end(self) -> AsyncGenerator[None]:
        """Let others go on when this is done, whether it succeeds or not."""
        try:
            yield
        except GatewayError:
            await self._release()
            raise
        await self._release()

    async def _release(self) -> None:
        if self._lock is not None:
            await self._lock.release()

    def leave(self) -> None:
        """Leave the conversation to whoever makes the response in the background."""
        if self._lock is not None:
            self._lock.leave()

    def abandon(self) -> None:
        """Let others go on. Harmless after `settle`."""
        if self._lock is not None:
            self._lock.let_go()


def _check_ids(own: tuple[InputItem, ...], earlier: tuple[InputItem, ...]) -> None:
    """Raise `InvalidRequestError` for an id that is none, or that the context holds already."""
    known = {item_id(item) for item in earlier}
    for position, item in enumerate(own):
        name = item_id(item)
        if name and not is_id(name):
            raise InvalidRequestError(
                "an id must be 1 to 256 printable ASCII characters",
                code="invalid_value",
                param=f"input[{position}].id",
            )
        if name and name in known and not isinstance(item, ItemReference):
            raise InvalidRequestError(
                f"Duplicate item found with id {name}. Remove duplicate items from your input and"
                " try again.",
                param=f"input[{position}]",
            )


def _may_be_told(item: InputItem) -> bool:
    """Say whether an upstream can read `item`: thoughts only if they are sealed, and not by us."""
    if not isinstance(item, Reasoning):
        return True
    return bool(item.encrypted_content) and not is_carrier(item.encrypted_content)


def _told_to_others(item: InputItem) -> InputItem:
    """Return `item` for an upstream that has not made it and would look for its id."""
    if isinstance(item, Unknown):
        return Unknown({name: value for name, value in item.items() if name != "id"})
    return item if isinstance(item, ItemReference) else replace(item, id=UNSET)
