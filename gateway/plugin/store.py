"""The store contract: where the gateway keeps responses, conversations and background work.

A *context* is a list of items that grows only at its end, and that others may grow from: what went
into a response, what came out of it, and what a conversation holds are each a point on such a
list. A store keeps every item once, however many responses build on it, and gives back the list up
to a point in one round trip. Deleting a response never shortens the list of another.

Times are Unix seconds, bodies JSON as it came or went. Everything belongs to a tenant and is not
there for any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

__all__ = [
    "FRUITLESS",
    "Conversation",
    "Events",
    "History",
    "Job",
    "Origin",
    "Page",
    "Record",
    "Slice",
    "Store",
    "StoreKind",
    "StoreSettings",
    "StoredItem",
]


FRUITLESS = frozenset({"failed", "cancelled"})
"""The statuses of responses that no conversation goes on with."""


class StoredItem(Struct, frozen=True, kw_only=True):
    """One item: `body` is its JSON, `id` the id in it."""

    id: str
    body: bytes


class Record(Struct, frozen=True, kw_only=True):
    """A response as stored, without its items: `body` is its JSON with an empty `output`."""

    id: str
    tenant: str
    created_at: float
    expires_at: float
    status: str
    model: str
    body: bytes


class Origin(Struct, frozen=True, kw_only=True):
    """What a new context grows from: the end of a response, or of a conversation, or nothing.

    At most one of the two is set.
    """

    response_id: str = ""
    conversation_id: str = ""


class History(Struct, frozen=True, kw_only=True):
    """A response and all that a response which follows it has to know: its whole input, earlier
    turns included, and its output. `items[:inputs]` are the input.
    """

    record: Record
    items: tuple[StoredItem, ...]
    inputs: int


class Page(Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted: at most `limit` items beyond the one with the id `after`,
    its last occurrence in this order.
    """

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str = ""


class Slice(Struct, frozen=True, kw_only=True):
    """A part of a list, in the order that was asked for, and whether more follow."""

    items: tuple[StoredItem, ...]
    has_more: bool


class Conversation(Struct, frozen=True, kw_only=True):
    """A conversation without its items; `metadata` is a JSON object."""

    id: str
    tenant: str
    created_at: float
    metadata: bytes = b"{}"


class Job(Struct, frozen=True, kw_only=True):
    """The work on a response that is made in the background.

    `request` is what it takes to make it, sealed by the gateway. `attempts` counts how often the
    work was taken up, this time included; `last_event` is the number of the last event that an
    earlier attempt wrote, -1 if none did.
    """

    response_id: str
    tenant: str
    request: bytes
    attempts: int = 0
    last_event: int = -1


class Events(Struct, frozen=True, kw_only=True):
    """Events of a response in the background: (sequence number, frame), in order. `status` is
    that of its record at the time.
    """

    frames: tuple[tuple[int, bytes], ...]
    status: str


class Store(Protocol):
    """Keeps what belongs to tenants. Each method is one transaction and done when it returns.

    Every method raises `StoreError` when the store does not answer in time. What is written after
    that may be there or not, as a whole.
    """

    async def save(
        self,
        record: Record,
        origin: Origin,
        inputs: Sequence[StoredItem],
        outputs: Sequence[StoredItem],
        /,
    ) -> None:
        """Write a response whose context is that of `origin`, then `inputs`, then `outputs`.

        A conversation as origin ends with both from now on. A response of that id which is there
        already stays as it is, whatever has become of the origin: so a write that came to an
        unknown end can be repeated. Else an origin that is gone, response or conversation, raises
        `NotFoundError`, and nothing is written.
        """
        ...

    async def load(
        self, tenant: str, response_id: str, /
    ) -> tuple[Record, tuple[StoredItem, ...]] | None:
        """Return a response and its output."""
        ...

    async def history(self, tenant: str, response_id: str, /) -> History | None: ...

    async def input_items(self, tenant: str, response_id: str, page: Page, /) -> Slice | None:
        """Return a part of the input of a response, earlier turns included.

        Raises `NotFoundError` if the item that it is to begin after is not there.
        """
        ...

    async def items(self, tenant: str, ids: Sequence[str], /) -> Mapping[str, StoredItem]:
        """Return those items `ids` that exist, each as it was written last."""
        ...

    async def delete(self, tenant: str, response_id: str, /) -> bool:
        """Forget a response, its events and its work; say whether there was one."""
        ...

    async def purge(self, now: float, /) -> int:
        """Forget some of what has expired and some items that nothing holds any more; return how
        many things went. 0 means that there is nothing left to do.
        """
        ...

    async def create_conversation(
        self, conversation: Conversation, items: Sequence[StoredItem], /
    ) -> None:
        """Write a new conversation; one of that id which is there already stays as it is."""
        ...

    async def conversation(self, tenant: str, conversation_id: str, /) -> Conversation | None: ...

    async def update_conversation(self, conversation: Conversation, /) -> bool:
        """Write other metadata; say whether there is such a conversation."""
        ...

    async def delete_conversation(self, tenant: str, conversation_id: str, /) -> bool:
        """Forget a conversation; responses that grew from it keep their context."""
        ...

    async def conversation_context(
        self, tenant: str, conversation_id: str, /
    ) -> tuple[StoredItem, ...] | None:
        """Return all items of a conversation in their order."""
        ...

    async def conversation_items(
        self, tenant: str, conversation_id: str, page: Page, /
    ) -> Slice | None:
        """Return a part of the items. Raises `NotFoundError` like `input_items`."""
        ...

    async def add_items(
        self, tenant: str, conversation_id: str, items: Sequence[StoredItem], /
    ) -> bool:
        """Put `items` at the end; say whether there is such a conversation."""
        ...

    async def remove_item(self, tenant: str, conversation_id: str, item_id: str, /) -> bool:
        """Take an item out of a conversation, each time that it occurs there; say whether it was
        in it.
        """
        ...

    async def lock(
        self, tenant: str, conversation_id: str, owner: str, *, now: float, until: float
    ) -> bool:
        """Let `owner` alone go on with a conversation until then, or longer if it does already.

        False if another does. The lock of a conversation that does not exist is free.
        """
        ...

    async def unlock(self, tenant: str, conversation_id: str, owner: str, /) -> None: ...

    async def enqueue(
        self, record: Record, origin: Origin, inputs: Sequence[StoredItem], job: Job, /
    ) -> None:
        """Write a queued response, and the work that will make it, or neither.

        What is there already, and an origin that is gone, are treated as in `save`. A conversation
        grows when the work is finished.
        """
        ...

    async def claim(
        self, owner: str, *, now: float, until: float, response_id: str = ""
    ) -> Job | None:
        """Take up the oldest work that nobody has, or whose owner has not renewed it in time; with
        `response_id` only that on this response.
        """
        ...

    async def renew(
        self, owner: str, response_ids: Sequence[str], *, until: float
    ) -> Mapping[str, bool]:
        """Keep pieces of work until then. Return those that `owner` still has, and for each
        whether somebody wants it cancelled.
        """
        ...

    async def append(
        self, owner: str, record: Record, frames: Sequence[tuple[int, bytes]], /
    ) -> bool:
        """Write how a response stands, and more of its events. False, and nothing is written, if
        `owner` does not have the work any more. An event that is there already stays as it is.
        """
        ...

    async def finish(
        self,
        owner: str,
        record: Record,
        outputs: Sequence[StoredItem],
        frames: Sequence[tuple[int, bytes]],
        /,
    ) -> bool:
        """Write the end of a response, its output and its last events, and drop the work. False,
        and nothing is written, if `owner` does not have it any more.

        A conversation that the response grew from ends with its input and output from now on,
        unless the status is one of `FRUITLESS`.
        """
        ...

    async def cancel(self, tenant: str, response_id: str, /) -> bool:
        """Ask for the end of a response in the background; say whether there is work to end."""
        ...

    async def events(self, tenant: str, response_id: str, after: int, /) -> Events | None:
        """Return the events with numbers above `after`, at most some hundreds at once."""
        ...

    async def mark(self, tenant: str, name: str, *, now: float, until: float) -> bool:
        """Write down `name` until then, and say whether it was not there yet: of all who ask at
        once, on whichever node, one is told so.
        """
        ...

    async def ready(self) -> bool:
        """Say whether the store answers now. Never raises."""
        ...


class StoreSettings(Struct, frozen=True, kw_only=True):
    """What the operator says of the store: the state `directory`, the `url` of a server, and how
    many seconds one operation may take.
    """

    directory: Path
    url: str = ""
    timeout: float = 10.0


class StoreKind(Struct, frozen=True, kw_only=True):
    """A kind of store, offered by the hook `gateway_stores`.

    `open(settings)` is entered when the gateway starts and left when it stops. It raises
    `ConfigError` for settings that can never work; a server that does not answer is no reason to
    fail, for it may come back.
    """

    name: str
    open: Callable[[StoreSettings], AbstractAsyncContextManager[Store]]
