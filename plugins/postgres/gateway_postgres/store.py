"""The store: each of its methods is one statement."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from gateway.errors import NotFoundError, StoreError
from gateway.plugin import (
    Conversation,
    Events,
    History,
    Job,
    Origin,
    Page,
    Record,
    Slice,
    StoredItem,
    StoreSettings,
)
from gateway_postgres import statements
from gateway_postgres.database import Database, open_database
from gateway_postgres.rows import (
    item_columns,
    page_parameters,
    read_items,
    read_record,
    read_slice,
)

__all__ = ["PostgresStore", "open_store"]

_EVENTS_AT_ONCE = 500
_PURGED_AT_ONCE = 500

Frames = Sequence[tuple[int, bytes]]


@asynccontextmanager
async def open_store(settings: StoreSettings) -> AsyncGenerator["PostgresStore"]:
    """Hold the store in the database at `settings.url`, which need not answer yet.

    Raises `ConfigError` if that is no URL of a PostgreSQL database.
    """
    async with open_database(settings) as database:
        yield PostgresStore(database)


class PostgresStore:
    """Keeps everything in the schema `gateway` of a database. See `gateway.plugin.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self,
        record: Record,
        origin: Origin,
        inputs: Sequence[StoredItem],
        outputs: Sequence[StoredItem],
        /,
    ) -> None:
        response = _response(record, origin, inputs, outputs)
        _check(await self._database.value(statements.SAVE, *response), origin)

    async def load(
        self, tenant: str, response_id: str, /
    ) -> tuple[Record, tuple[StoredItem, ...]] | None:
        row = await self._database.row(statements.LOAD, tenant, response_id)
        return None if row is None else (read_record(row), read_items(row))

    async def history(self, tenant: str, response_id: str, /) -> History | None:
        row = await self._database.row(statements.HISTORY, tenant, response_id)
        if row is None:
            return None
        return History(record=read_record(row), items=read_items(row), inputs=row["inputs"])

    async def input_items(self, tenant: str, response_id: str, page: Page, /) -> Slice | None:
        wanted = page_parameters(page)
        row = await self._database.row(statements.INPUT_ITEMS, tenant, response_id, *wanted)
        return None if row is None else read_slice(row, page)

    async def items(self, tenant: str, ids: Sequence[str], /) -> Mapping[str, StoredItem]:
        wanted = [item_id.encode() for item_id in ids]
        rows = await self._database.rows(statements.ITEMS, tenant, wanted)
        found = [StoredItem(id=row["id"].decode(), body=row["body"]) for row in rows]
        return {item.id: item for item in found}

    async def delete(self, tenant: str, response_id: str, /) -> bool:
        return await self._database.value(statements.DELETE, tenant, response_id)

    async def purge(self, now: float, /) -> int:
        return await self._database.value(statements.PURGE, now, _PURGED_AT_ONCE)

    async def create_conversation(
        self, conversation: Conversation, items: Sequence[StoredItem], /
    ) -> None:
        await self._database.row(
            statements.CREATE_CONVERSATION,
            conversation.tenant,
            conversation.id,
            conversation.created_at,
            conversation.metadata,
            *item_columns(conversation.tenant, items),
        )

    async def conversation(self, tenant: str, conversation_id: str, /) -> Conversation | None:
        row = await self._database.row(statements.CONVERSATION, tenant, conversation_id)
        if row is None:
            return None
        return Conversation(
            id=conversation_id,
            tenant=tenant,
            created_at=row["created_at"],
            metadata=row["metadata"],
        )

    async def update_conversation(self, conversation: Conversation, /) -> bool:
        changed = await self._database.value(
            statements.UPDATE_CONVERSATION,
            conversation.tenant,
            conversation.id,
            conversation.metadata,
        )
        return bool(changed)

    async def delete_conversation(self, tenant: str, conversation_id: str, /) -> bool:
        gone = await self._database.value(statements.DELETE_CONVERSATION, tenant, conversation_id)
        return bool(gone)

    async def conversation_context(
        self, tenant: str, conversation_id: str, /
    ) -> tuple[StoredItem, ...] | None:
        row = await self._database.row(statements.CONVERSATION_CONTEXT, tenant, conversation_id)
        return None if row is None else read_items(row)

    async def conversation_items(
        self, tenant: str, conversation_id: str, page: Page, /
    ) -> Slice | None:
        row = await self._database.row(
            statements.CONVERSATION_ITEMS, tenant, conversation_id, *page_parameters(page)
        )
        return None if row is None else read_slice(row, page)

    async def add_items(
        self, tenant: str, conversation_id: str, items: Sequence[StoredItem], /
    ) -> bool:
        columns = item_columns(tenant, items)
        return await self._database.value(statements.ADD_ITEMS, tenant, conversation_id, *columns)

    async def remove_item(self, tenant: str, conversation_id: str, item_id: str, /) -> bool:
        return await self._database.value(
            statements.REMOVE_ITEM, tenant, conversation_id, item_id.encode()
        )

    async def lock(
        self, tenant: str, conversation_id: str, owner: str, *, now: float, until: float
    ) -> bool:
        return await self._database.value(
            statements.LOCK, tenant, conversation_id, owner, now, until
        )

    async def unlock(self, tenant: str, conversation_id: str, owner: str, /) -> None:
        await self._database.row(statements.UNLOCK, tenant, conversation_id, owner)

    async def enqueue(
        self, record: Record, origin: Origin, inputs: Sequence[StoredItem], job: Job, /
    ) -> None:
        response = _response(record, origin, inputs, ())
        outcome = await self._database.value(
            statements.ENQUEUE, *response, job.request, job.attempts
        )
        _check(outcome, origin)

    async def claim(
        self, owner: str, *, now: float, until: float, response_id: str = ""
    ) -> Job | None:
        row = await self._database.row(statements.CLAIM, owner, now, until, response_id)
        if row is None:
            return None
        return Job(
            response_id=row["response_id"],
            tenant=row["tenant"],
            request=row["request"],
            attempts=row["attempts"],
            last_event=row["last_event"],
        )

    async def renew(
        self, owner: str, response_ids: Sequence[str], *, until: float
    ) -> Mapping[str, bool]:
        rows = await self._database.rows(statements.RENEW, owner, list(response_ids), until)
        return {row["response_id"]: row["cancelled"] for row in rows}

    async def append(self, owner: str, record: Record, frames: Frames, /) -> bool:
        return await self._database.value(statements.APPEND, owner, *_progress(record, frames))

    async def finish(
        self, owner: str, record: Record, outputs: Sequence[StoredItem], frames: Frames, /
    ) -> bool:
        return await self._database.value(
            statements.FINISH,
            owner,
            *_progress(record, frames),
            *item_columns(record.tenant, outputs),
        )

    async def cancel(self, tenant: str, response_id: str, /) -> bool:
        asked = await self._database.value(statements.CANCEL, tenant, response_id)
        return bool(asked)

    async def events(self, tenant: str, response_id: str, after: int, /) -> Events | None:
        row = await self._database.row(
            statements.EVENTS, tenant, response_id, after, _EVENTS_AT_ONCE
        )
        if row is None:
            return None
        frames = zip(row["numbers"] or (), row["frames"] or (), strict=True)
        return Events(frames=tuple(frames), status=row["status"])

    async def mark(self, tenant: str, name: str, *, now: float, until: float) -> bool:
        new = await self._database.value(statements.MARK, tenant, name, now, until)
        return bool(new)

    async def ready(self) -> bool:
        try:
            return await self._database.value(statements.READY)
        except StoreError:
            return False


def _response(
    record: Record,
    origin: Origin,
    inputs: Sequence[StoredItem],
    outputs: Sequence[StoredItem],
) -> tuple[object, ...]:
    return (
        record.tenant,
        record.id,
        record.created_at,
        record.expires_at,
        record.status,
        record.model,
        record.body,
        origin.response_id,
        origin.conversation_id,
        *item_columns(record.tenant, (*inputs, *outputs)),
        len(inputs),
    )


def _check(outcome: str, origin: Origin) -> None:
    if outcome == "gone":
        kind = "conversation" if origin.conversation_id else "response"
        raise NotFoundError(f"there is no {kind} {origin.conversation_id or origin.response_id!r}")


def _progress(record: Record, frames: Frames) -> tuple[object, ...]:
    return (
        record.tenant,
        record.id,
        record.expires_at,
        record.status,
        record.model,
        record.body,
        [number for number, _ in frames],
        [frame for _, frame in frames],
    )
