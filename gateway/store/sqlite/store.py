"""The SQLite store: a file in the state directory, for one machine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from sqlite3 import Connection
from typing import TypeVar

from gateway.errors import ConfigError, StoreError
from gateway.plugin.store import (
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
from gateway.store.sqlite import background, conversations, marks, responses
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.lane import Lane, Work
from gateway.store.sqlite.purging import purge
from gateway.store.sqlite.schema import migrate

__all__ = ["SQLITE", "SQLiteStore"]

T = TypeVar("T")

_FILE = "responses.sqlite"
_READERS = 2
_WRITES_AT_ONCE = 200
_LINGER = 0.02  # seconds; half of it costs a quarter more CPU at 500 responses a second


class SQLiteStore:
    """Keeps everything in one file. See `gateway.plugin.Store`.

    `writer` and `readers` are threads of it: all writes go through one, and no reader waits for it.
    """

    def __init__(self, writer: Lane, readers: Sequence[Lane]) -> None:
        self._writer = writer
        self._readers = readers

    async def save(
        self,
        record: Record,
        origin: Origin,
        inputs: Sequence[StoredItem],
        outputs: Sequence[StoredItem],
        /,
    ) -> None:
        with suppress(responses.KnownError):
            await self._write(
                lambda database: responses.save(database, record, origin, inputs, outputs)
            )

    async def load(
        self, tenant: str, response_id: str, /
    ) -> tuple[Record, tuple[StoredItem, ...]] | None:
        return await self._read(lambda database: responses.load(database, tenant, response_id))

    async def history(self, tenant: str, response_id: str, /) -> History | None:
        return await self._read(lambda database: responses.history(database, tenant, response_id))

    async def input_items(self, tenant: str, response_id: str, page: Page, /) -> Slice | None:
        return await self._read(
            lambda database: responses.input_items(database, tenant, response_id, page)
        )

    async def items(self, tenant: str, ids: Sequence[str], /) -> Mapping[str, StoredItem]:
        return await self._read(lambda database: responses.items(database, tenant, ids))

    async def delete(self, tenant: str, response_id: str, /) -> bool:
        return await self._write(lambda database: responses.delete(database, tenant, response_id))

    async def purge(self, now: float, /) -> int:
        gone = await self._write(lambda database: purge(database, now))
        if not gone:
            await self._writer.empty_log()
        return gone

    async def create_conversation(
        self, conversation: Conversation, items: Sequence[StoredItem], /
    ) -> None:
        await self._write(lambda database: conversations.create(database, conversation, items))

    async def conversation(self, tenant: str, conversation_id: str, /) -> Conversation | None:
        return await self._read(
            lambda database: conversations.find(database, tenant, conversation_id)
        )

    async def update_conversation(self, conversation: Conversation, /) -> bool:
        return await self._write(lambda database: conversations.update(database, conversation))

    async def delete_conversation(self, tenant: str, conversation_id: str, /) -> bool:
        return await self._write(
            lambda database: conversations.delete(database, tenant, conversation_id)
        )

    async def conversation_context(
        self, tenant: str, conversation_id: str, /
    ) -> tuple[StoredItem, ...] | None:
        return await self._read(
            lambda database: conversations.context(database, tenant, conversation_id)
        )

    async def conversation_items(
        self, tenant: str, conversation_id: str, page: Page, /
    ) -> Slice | None:
        return await self._read(
            lambda database: conversations.page(database, tenant, conversation_id, page)
        )

    async def add_items(
        self, tenant: str, conversation_id: str, items: Sequence[StoredItem], /
    ) -> bool:
        return await self._write(
            lambda database: conversations.add(database, tenant, conversation_id, items)
        )

    async def remove_item(self, tenant: str, conversation_id: str, item_id: str, /) -> bool:
        return await self._write(
            lambda database: conversations.remove(database, tenant, conversation_id, item_id)
        )

    async def lock(
        self, tenant: str, conversation_id: str, owner: str, *, now: float, until: float
    ) -> bool:
        key = (tenant, conversation_id)
        return await self._write(
            lambda database: conversations.lock(database, key, owner, now=now, until=until)
        )

    async def unlock(self, tenant: str, conversation_id: str, owner: str, /) -> None:
        await self._write(
            lambda database: conversations.unlock(database, tenant, conversation_id, owner)
        )

    async def enqueue(
        self, record: Record, origin: Origin, inputs: Sequence[StoredItem], job: Job, /
    ) -> None:
        await self._write(
            lambda database: background.enqueue(database, record, origin, inputs, job)
        )

    async def claim(
        self, owner: str, *, now: float, until: float, response_id: str = ""
    ) -> Job | None:
        work = partial(background.claim, now=now, until=until, response_id=response_id)
        return await self._write(lambda database: work(database, owner))

    async def renew(
        self, owner: str, response_ids: Sequence[str], *, until: float
    ) -> Mapping[str, bool]:
        return await self._write(
            lambda database: background.renew(database, owner, response_ids, until=until)
        )

    async def append(
        self, owner: str, record: Record, frames: Sequence[tuple[int, bytes]], /
    ) -> bool:
        return await self._write(
            lambda database: background.append(database, owner, record, frames)
        )

    async def finish(
        self,
        owner: str,
        record: Record,
        outputs: Sequence[StoredItem],
        frames: Sequence[tuple[int, bytes]],
        /,
    ) -> bool:
        return await self._write(
            lambda database: background.finish(database, owner, record, outputs, frames)
        )

    async def cancel(self, tenant: str, response_id: str, /) -> bool:
        return await self._write(lambda database: background.cancel(database, tenant, response_id))

    async def events(self, tenant: str, response_id: str, after: int, /) -> Events | None:
        return await self._read(
            lambda database: background.events(database, tenant, response_id, after)
        )

    async def mark(self, tenant: str, name: str, *, now: float, until: float) -> bool:
        return await self._write(
            lambda database: marks.mark(database, tenant, name, now=now, until=until)
        )

    async def ready(self) -> bool:
        """Look at the tables, and write what is there anyway: the disk may be full."""
        try:
            await self._write(migrate)
            await self._read(_look)
        except StoreError:
            return False
        return True

    async def _write(self, work: Work[T]) -> T:
        return await self._writer.run(work)

    async def _read(self, work: Work[T]) -> T:
        return await min(self._readers, key=lambda lane: lane.waiting).run(work)


@asynccontextmanager
async def _open(settings: StoreSettings) -> AsyncGenerator[SQLiteStore]:
    """Raises `ConfigError` if the state directory is not a directory."""
    if settings.directory.exists() and not settings.directory.is_dir():
        raise ConfigError(f"state.directory: {settings.directory} is not a directory")
    database = partial(Database, settings.directory / _FILE, timeout=settings.timeout)
    lane = partial(Lane, timeout=settings.timeout)
    async with AsyncExitStack() as stack:
        writer = lane(database(writes=True), most=_WRITES_AT_ONCE, linger=_LINGER)
        stack.push_async_callback(writer.aclose)
        readers = [lane(database(writes=False), most=1, linger=0.0) for _ in range(_READERS)]
        for reader in readers:
            stack.push_async_callback(reader.aclose)
        yield SQLiteStore(writer, readers)


def _look(connection: Connection) -> None:
    for table in ("responses", "nodes", "contents"):
        connection.execute(f"SELECT max(number) FROM {table}").fetchall()


SQLITE = StoreKind(name="sqlite", open=_open)
"""The store that needs no server."""
