"""The store that forgets everything when the process ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain

from msgspec.structs import replace

from gateway.errors import NotFoundError
from gateway.plugin.store import (
    FRUITLESS,
    Conversation,
    Events,
    History,
    Job,
    Origin,
    Page,
    Record,
    Slice,
    StoredItem,
    StoreKind,
    StoreSettings,
)
from gateway.store.slices import cut

__all__ = ["MEMORY", "MemoryStore"]

_EVENTS_AT_ONCE = 500

Key = tuple[str, str]  # a tenant, and an id of its own


class _Node:
    """A point on a list of items: `items`, and before them those of `parent`."""

    __slots__ = ("items", "parent")

    def __init__(self, parent: _Node | None, items: tuple[StoredItem, ...]) -> None:
        self.parent = parent
        self.items = items


class _Response:
    """A response: its context up to its input and up to its output, and its events."""

    __slots__ = ("frames", "inputs", "outputs", "record")

    def __init__(self, record: Record, inputs: _Node | None, outputs: _Node | None) -> None:
        self.record = record
        self.inputs = inputs
        self.outputs = outputs
        self.frames: dict[int, bytes] = {}


class _Thread:
    """A conversation, where it ends, and who has its lock until when."""

    __slots__ = ("conversation", "end", "owner", "until")

    def __init__(self, conversation: Conversation, end: _Node | None) -> None:
        self.conversation = conversation
        self.end = end
        self.owner: str | None = None
        self.until = 0.0


class _Work:
    """A job: who does it until when, and which conversation it continues from where."""

    __slots__ = ("cancelled", "conversation_id", "job", "owner", "since", "until")

    def __init__(self, job: Job, conversation_id: str, since: _Node | None) -> None:
        self.job = job
        self.conversation_id = conversation_id
        self.since = since
        self.owner: str | None = None
        self.until = 0.0
        self.cancelled = False


class MemoryStore:
    """Keeps everything in dictionaries. See `gateway.plugin.Store`."""

    def __init__(self) -> None:
        self._responses: dict[Key, _Response] = {}
        self._threads: dict[Key, _Thread] = {}
        self._work: dict[Key, _Work] = {}
        self._items: dict[Key, dict[bytes, StoredItem]] = {}  # by body, the last written last
        self._marks: dict[Key, float] = {}  # until when

    async def save(
        self,
        record: Record,
        origin: Origin,
        inputs: Sequence[StoredItem],
        outputs: Sequence[StoredItem],
        /,
    ) -> None:
        key = (record.tenant, record.id)
        if key in self._responses:
            return
        context = self._grow(record.tenant, self._end(record.tenant, origin), inputs)
        end = self._grow(record.tenant, context, outputs)
        self._responses[key] = _Response(record, context, end)
        if origin.conversation_id:
            self._threads[record.tenant, origin.conversation_id].end = end

    async def load(
        self, tenant: str, response_id: str, /
    ) -> tuple[Record, tuple[StoredItem, ...]] | None:
        found = self._responses.get((tenant, response_id))
        if found is None:
            return None
        return found.record, _items(found.outputs, since=found.inputs)

    async def history(self, tenant: str, response_id: str, /) -> History | None:
        found = self._responses.get((tenant, response_id))
        if found is None:
            return None
        inputs = len(_items(found.inputs))
        return History(record=found.record, items=_items(found.outputs), inputs=inputs)

    async def input_items(self, tenant: str, response_id: str, page: Page, /) -> Slice | None:
        found = self._responses.get((tenant, response_id))
        return None if found is None else _slice(_items(found.inputs), page)

    async def items(self, tenant: str, ids: Sequence[str], /) -> Mapping[str, StoredItem]:
        versions = {each: self._items.get((tenant, each)) for each in ids}
        return {each: [*known.values()][-1] for each, known in versions.items() if known}

    async def delete(self, tenant: str, response_id: str, /) -> bool:
        self._work.pop((tenant, response_id), None)
        return self._responses.pop((tenant, response_id), None) is not None

    async def purge(self, now: float, /) -> int:
        expired = [key for key, kept in self._responses.items() if kept.record.expires_at <= now]
        for tenant, response_id in expired:
            await self.delete(tenant, response_id)
        over = [key for key, until in self._marks.items() if until <= now]
        for key in over:
            del self._marks[key]
        return len(expired) + len(over) + self._sweep()

    async def create_conversation(
        self, conversation: Conversation, items: Sequence[StoredItem], /
    ) -> None:
        key = (conversation.tenant, conversation.id)
        if key not in self._threads:
            end = self._grow(conversation.tenant, None, items)
            self._threads[key] = _Thread(conversation, end)

    async def conversation(self, tenant: str, conversation_id: str, /) -> Conversation | None:
        thread = self._threads.get((tenant, conversation_id))
        return thread and thread.conversation

    async def update_conversation(self, conversation: Conversation, /) -> bool:
        thread = self._threads.get((conversation.tenant, conversation.id))
        if thread is None:
            return False
        thread.conversation = replace(thread.conversation, metadata=conversation.metadata)
        return True

    async def delete_conversation(self, tenant: str, conversation_id: str, /) -> bool:
        return self._threads.pop((tenant, conversation_id), None) is not None

    async def conversation_context(
        self, tenant: str, conversation_id: str, /
    ) -> tuple[StoredItem, ...] | None:
        thread = self._threads.get((tenant, conversation_id))
        return None if thread is None else _items(thread.end)

    async def conversation_items(
        self, tenant: str, conversation_id: str, page: Page, /
    ) -> Slice | None:
        items = await self.conversation_context(tenant, conversation_id)
        return None if items is None else _slice(items, page)

    async def add_items(
        self, tenant: str, conversation_id: str, items: Sequence[StoredItem], /
    ) -> bool:
        thread = self._threads.get((tenant, conversation_id))
        if thread is None:
            return False
        thread.end = self._grow(tenant, thread.end, items)
        return True

    async def remove_item(self, tenant: str, conversation_id: str, item_id: str, /) -> bool:
        thread = self._threads.get((tenant, conversation_id))
        items = _items(thread.end) if thread else ()
        rest = tuple(item for item in items if item.id != item_id)
        if thread is None or len(rest) == len(items):
            return False
        thread.end = _Node(None, rest)
        return True

    async def lock(
        self, tenant: str, conversation_id: str, owner: str, *, now: float, until: float
    ) -> bool:
        thread = self._threads.get((tenant, conversation_id))
        if thread is None:
            return True
        held = thread.owner is not None and thread.until > now
        if held and thread.owner != owner:
            return False
        thread.until = max(until, thread.until) if held else until
        thread.owner = owner
        return True

    async def unlock(self, tenant: str, conversation_id: str, owner: str, /) -> None:
        thread = self._threads.get((tenant, conversation_id))
        if thread is not None and thread.owner == owner:
            thread.owner = None

    async def enqueue(
        self, record: Record, origin: Origin, inputs: Sequence[StoredItem], job: Job, /
    ) -> None:
        key = (record.tenant, record.id)
        if key in self._responses:
            return
        since = self._end(record.tenant, origin)
        context = self._grow(record.tenant, since, inputs)
        self._responses[key] = _Response(record, context, context)
        self._work[key] = _Work(job, origin.conversation_id, since)

    async def claim(
        self, owner: str, *, now: float, until: float, response_id: str = ""
    ) -> Job | None:
        for key, work in self._work.items():
            wanted = response_id in ("", work.job.response_id)
            if wanted and (work.owner is None or work.until <= now):
                work.owner, work.until = owner, until
                work.job = replace(work.job, attempts=work.job.attempts + 1)
                return replace(work.job, last_event=max(self._responses[key].frames, default=-1))
        return None

    async def renew(
        self, owner: str, response_ids: Sequence[str], *, until: float
    ) -> Mapping[str, bool]:
        wanted = {*response_ids}
        held = {
            response_id: work
            for (_, response_id), work in self._work.items()
            if work.owner == owner and response_id in wanted
        }
        for work in held.values():
            work.until = until
        return {response_id: work.cancelled for response_id, work in held.items()}

    async def append(
        self, owner: str, record: Record, frames: Sequence[tuple[int, bytes]], /
    ) -> bool:
        key = (record.tenant, record.id)
        work = self._work.get(key)
        if work is None or work.owner != owner:
            return False
        self._responses[key].record = record
        self._responses[key].frames.update(frames)
        return True

    async def finish(
        self,
        owner: str,
        record: Record,
        outputs: Sequence[StoredItem],
        frames: Sequence[tuple[int, bytes]],
        /,
    ) -> bool:
        if not await self.append(owner, record, frames):
            return False
        response = self._responses[record.tenant, record.id]
        response.outputs = self._grow(record.tenant, response.inputs, outputs)
        work = self._work.pop((record.tenant, record.id))
        if record.status in FRUITLESS:
            return True
        thread = self._threads.get((record.tenant, work.conversation_id))
        if thread is not None and thread.end is work.since:
            thread.end = response.outputs
        elif thread is not None:  # it has changed meanwhile
            thread.end = _Node(thread.end, _items(response.outputs, since=work.since))
        return True

    async def cancel(self, tenant: str, response_id: str, /) -> bool:
        work = self._work.get((tenant, response_id))
        if work is None:
            return False
        work.cancelled = True
        return True

    async def events(self, tenant: str, response_id: str, after: int, /) -> Events | None:
        found = self._responses.get((tenant, response_id))
        if found is None:
            return None
        later = sorted(frame for frame in found.frames.items() if frame[0] > after)
        return Events(frames=tuple(later[:_EVENTS_AT_ONCE]), status=found.record.status)

    async def mark(self, tenant: str, name: str, *, now: float, until: float) -> bool:
        new = self._marks.get((tenant, name), now) <= now
        if new:
            self._marks[tenant, name] = until
        return new

    async def ready(self) -> bool:
        return True

    def _end(self, tenant: str, origin: Origin) -> _Node | None:
        """Return where a context ends that grows from `origin`. Raises `NotFoundError`."""
        if origin.conversation_id:
            thread = self._threads.get((tenant, origin.conversation_id))
            if thread is None:
                raise NotFoundError(f"there is no conversation {origin.conversation_id!r}")
            return thread.end
        if not origin.response_id:
            return None
        response = self._responses.get((tenant, origin.response_id))
        if response is None:
            raise NotFoundError(f"there is no response {origin.response_id!r}")
        return response.outputs

    def _grow(self, tenant: str, parent: _Node | None, items: Sequence[StoredItem]) -> _Node | None:
        return _Node(parent, tuple(self._keep(tenant, item) for item in items)) if items else parent

    def _keep(self, tenant: str, item: StoredItem) -> StoredItem:
        """Return our own copy of `item`: there is one for each tenant, however often it is kept."""
        versions = self._items.setdefault((tenant, item.id), {})
        versions[item.body] = kept = versions.pop(item.body, None) or replace(item)
        return kept

    def _sweep(self) -> int:
        """Forget the items that nothing holds any more; return how many."""
        held = {id(item) for node in self._nodes() for item in node.items}
        gone = [
            (key, body)
            for key, versions in self._items.items()
            for body, item in versions.items()
            if id(item) not in held
        ]
        for key, body in gone:
            del self._items[key][body]
            if not self._items[key]:
                del self._items[key]
        return len(gone)

    def _nodes(self) -> Iterator[_Node]:
        """Yield every point that a response or a conversation holds, each once."""
        seen: set[int] = set()
        ends = chain(
            (response.outputs for response in self._responses.values()),
            (thread.end for thread in self._threads.values()),
        )
        for end in ends:
            node = end
            while node is not None and id(node) not in seen:
                seen.add(id(node))
                yield node
                node = node.parent


def _items(end: _Node | None, *, since: _Node | None = None) -> tuple[StoredItem, ...]:
    """Return the items of a list up to `end`, those after `since` only."""
    runs: list[tuple[StoredItem, ...]] = []
    node = end
    while node is not None and node is not since:
        runs.append(node.items)
        node = node.parent
    return tuple(chain.from_iterable(reversed(runs)))


def _slice(items: Sequence[StoredItem], page: Page) -> Slice:
    positions, has_more = cut([item.id for item in items], page)
    return Slice(items=tuple(items[position] for position in positions), has_more=has_more)


@asynccontextmanager
async def _open(settings: StoreSettings) -> AsyncGenerator[MemoryStore]:
    yield MemoryStore()


MEMORY = StoreKind(name="memory", open=_open)
"""A store for trials and tests: nothing survives a restart, and no other process sees it."""
