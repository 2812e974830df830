"""One response in the background, from the moment a worker takes it up to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.core.background.journal import Journal, Post, persistently
from gateway.core.background.making import Maker, Making, open_envelope
from gateway.core.background.telling import (
    LAST_OF_BEGINNING,
    Frames,
    cancelled,
    failed,
    frames_of,
    items_told,
    started,
    waiting,
)
from gateway.core.locks import Lock, Locks
from gateway.core.principal import Principal
from gateway.core.records import record_of, stored
from gateway.errors import GatewayError
from gateway.ids import Seal
from gateway.plugin.store import Job, Record
from gateway.types.response import Response, decode_response

__all__ = ["Fate", "Work", "Workshop", "guarded"]

_MOST_ATTEMPTS = 5

_log = logging.getLogger("gateway")

Fate = Literal["cancelled", "lost", "stopped"]
"""Why work does not go on: a client wants no more of it, another node has it, this process ends."""


class Workshop(Struct, frozen=True, kw_only=True):
    """What all work needs: who makes responses, what opens their requests, where they go, and the
    locks of the conversations that they belong to.
    """

    maker: Maker
    seal: Seal
    post: Post
    locks: Locks


class Work:
    """Makes the response of one job and writes its events and its end.

    What an earlier attempt had told of the output cannot be told again: then the response fails.
    """

    def __init__(self, job: Job, workshop: Workshop) -> None:
        self._job = job
        self._workshop = workshop
        self._making: Making | None = None
        self._failure: GatewayError | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lock: Lock | None = None
        self._fate: Fate | None = None

    @property
    def response_id(self) -> str:
        return self._job.response_id

    def interrupt(self, fate: Fate) -> None:
        """Stop the making, if it is still under way."""
        if self._fate is None and self._reading is not None and not self._reading.done():
            self._fate = fate
            self._reading.cancel()

    async def run(self) -> bool:
        """Work to the end. False if the work is to be taken up again, here or elsewhere."""
        record = await self._load()
        if record is None:
            return True
        response = decode_response(record.body)
        journal = Journal(self._workshop.post, _begun(record), self._job.last_event)
        journal.put(started(response))
        self._failure = self._obstacle()
        try:
            if self._failure is None:
                await self._make(_conversation(response), journal)
            if self._fate == "lost":
                await self._lose(_conversation(response))
                return True
            if self._to_be_done_again(journal):
                return False
            await self._end(record, response, journal)
        finally:
            if self._lock is not None:
                self._lock.leave()
        return True

    async def cancel(self) -> None:
        """End work as cancelled that nobody has begun, or that nobody goes on with."""
        self._fate = "cancelled"
        record = await self._load()
        if record is not None:
            response = decode_response(record.body)
            journal = Journal(self._workshop.post, record, self._job.last_event)
            journal.put(waiting(response))
            await self._end(record, response, journal)

    def _obstacle(self) -> GatewayError | None:
        """Return why the response cannot be made any more, if there is a reason."""
        if self._job.last_event > LAST_OF_BEGINNING:
            return GatewayError("the response was cut short: the node that made it was lost")
        if self._job.attempts > _MOST_ATTEMPTS:
            return GatewayError(
                f"the response was given up after {_MOST_ATTEMPTS} attempts to make it"
            )
        return None

    async def _load(self) -> Record | None:
        store = self._workshop.post.store
        found = await persistently(lambda: store.load(self._job.tenant, self.response_id))
        return found and found[0]

    async def _make(self, conversation_id: str, journal: Journal) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(journal.write(lambda: self.interrupt("lost")))
            self._reading = tasks.create_task(self._read(conversation_id, journal))
            await asyncio.wait([self._reading])
            journal.close()

    async def _read(self, conversation_id: str, journal: Journal) -> None:
        if not await guarded(lambda: self._open(conversation_id)):
            self._failure = GatewayError("the gateway failed to make the response")
        if self._making is not None:
            await self._tell(self._making, journal)

    async def _open(self, conversation_id: str) -> None:
        job, shop = self._job, self._workshop
        principal = Principal(tenant=job.tenant)
        try:
            envelope = open_envelope(shop.seal, job)
            if conversation_id:
                self._lock = await persistently(
                    lambda: shop.locks.take(job.tenant, conversation_id, job.response_id)
                )
            self._making = await persistently(
                lambda: shop.maker.make(envelope, principal, job.response_id)
            )
        except GatewayError as error:
            self._failure = error

    async def _tell(self, making: Making, journal: Journal) -> None:
        number = 0
        try:
            async for block in making:
                frames = frames_of(block)
                journal.put([*enumerate(frames, number)])
                number += len(frames)
        finally:
            await making.aclose()

    def _to_be_done_again(self, journal: Journal) -> bool:
        """Say whether another attempt can take its place: nobody has seen any output."""
        return self._fate == "stopped" and journal.last <= LAST_OF_BEGINNING

    async def _end(self, record: Record, response: Response, journal: Journal) -> None:
        if journal.ended and self._making is not None:
            over = self._making.response
        else:
            over, frames = self._told(await self._so_far(response), journal.last + 1)
            journal.put(frames)
        record = record_of(over, record.tenant, record.expires_at)
        await journal.finish(record, stored(over.output))
        await self._unlock(_conversation(response))
        self._workshop.post.bells.ring(record.id)

    async def _lose(self, conversation_id: str) -> None:
        """Leave the conversation to whoever has the work; if it was deleted, that is nobody."""
        if await self._load() is None:
            await self._unlock(conversation_id)

    async def _unlock(self, conversation_id: str) -> None:
        """Let others add to the conversation, before anybody hears that this has come to an end."""
        store = self._workshop.post.store
        if self._lock is not None:
            await self._lock.release()
        elif conversation_id:
            await persistently(
                lambda: store.unlock(self._job.tenant, conversation_id, self.response_id)
            )

    async def _so_far(self, response: Response) -> Response:
        if self._making is not None:
            return self._making.response
        if self._job.last_event <= LAST_OF_BEGINNING:
            return response
        store = self._workshop.post.store
        items = await persistently(lambda: items_told(store, self._job.tenant, self.response_id))
        return replace(response, output=items)

    def _told(self, response: Response, number: int) -> tuple[Response, Frames]:
        if self._fate == "cancelled":
            return cancelled(response, number)
        failure = self._failure or GatewayError(
            "the response was cut short: the node that made it was stopped"
            if self._fate
            else "the response came to no end"
        )
        return failed(response, failure, number)


def _conversation(response: Response) -> str:
    """Return the id of the conversation that `response` is added to, if any."""
    return response.conversation.id if response.conversation else ""


def _begun(record: Record) -> Record:
    """Return how a response stands while it is made."""
    begun = replace(decode_response(record.body), status="in_progress")
    return record_of(begun, record.tenant, record.expires_at)


async def guarded(step: Callable[[], Awaitable[None]]) -> bool:
    """Do `step` and say whether it succeeded. What it raises is logged: a bug in the work on one
    response must not end that on others.
    """
    try:
        await step()
    except Exception:  # noqa: BLE001 - nobody waits for this work who could be told
        _log.exception("working in the background failed")
        return False
    return True
