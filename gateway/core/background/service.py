"""Responses in the background, as the engine sees them: begun, followed and cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.core.background.bells import Bells
from gateway.core.background.crew import Crew
from gateway.core.background.following import Following
from gateway.core.background.journal import Post
from gateway.core.background.making import Maker, seal_envelope
from gateway.core.background.pace import Pace, pause
from gateway.core.background.telling import OVER
from gateway.core.background.work import Work, Workshop
from gateway.core.exchange import Envelope, Reply, Streamed, Whole
from gateway.core.history import Prior
from gateway.core.keeper import Keeper
from gateway.core.keeping import write_grown
from gateway.core.locks import Locks
from gateway.core.records import record_of, stored_response
from gateway.errors import InvalidRequestError, NotFoundError
from gateway.ids import Ids, Seal
from gateway.plugin.store import Job, Record, StoredItem
from gateway.types.request import Request
from gateway.types.response import Response
from gateway.types.wire import encode

__all__ = ["Background", "Submission", "check", "in_background"]


class Submission(Struct, frozen=True, kw_only=True):
    """A response that is to be made in the background: what was asked, `response` as it begins,
    what it builds on, and its own input.
    """

    envelope: Envelope
    tenant: str
    response: Response
    prior: Prior
    inputs: Sequence[StoredItem]


_BEYOND = 2**31 - 1
"""More events than any response has."""


class _Flag(Struct):
    """What tells whether a kept response was made in the background."""

    background: bool | None = False


_decode_flag = msgspec.json.Decoder(_Flag).decode


def check(request: Request) -> None:
    """Raise `InvalidRequestError` for what cannot be done in the background."""
    if request.background and request.store is False:
        raise InvalidRequestError(
            "a response in the background has to be kept, leave store out or send true",
            param="store",
        )
    for name, value in (request.background_options or {}).items():
        if value is not None and (name, value) != ("completion_window", "soonest"):
            raise InvalidRequestError(
                f"background_options.{name} is not offered by this gateway, but for"
                ' completion_window "soonest"',
                code="unsupported_parameter",
                param=f"background_options.{name}",
            )


def in_background(record: Record) -> bool:
    """Say whether the response of `record` is, or was, made in the background."""
    return bool(_decode_flag(record.body).background)


class Background:
    """Begins responses that go on without their clients, in this process or another.

    An async context manager: while it is entered, this process makes such responses; without a
    store there are none.
    """

    def __init__(
        self, keeper: Keeper, maker: Maker, seal: Seal, ids: Ids, *, pace: Pace | None = None
    ) -> None:
        self._keeper = keeper
        self._seal = seal
        self._ids = ids
        self._pace = pace or Pace()
        self._bells = Bells()
        self._resources = AsyncExitStack()
        self._workshop: Workshop | None = None
        self._crew: Crew | None = None
        if keeper.keeps:
            owner = ids.mint("node")
            post = Post(store=keeper.store, owner=owner, bells=self._bells, batch=self._pace.batch)
            tasks = asyncio.TaskGroup()
            locks = Locks(keeper, ids.now, tasks)
            self._workshop = Workshop(maker=maker, seal=seal, post=post, locks=locks)
            self._crew = Crew(self._workshop, self._pace, ids.now, tasks)

    async def __aenter__(self) -> Self:
        if self._crew is not None:
            await self._resources.enter_async_context(self._crew)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._resources.aclose()

    def stop(self) -> None:
        """Take up no more work and let that under way finish in time; at once the second time."""
        if self._crew is not None:
            self._crew.stop()

    async def submit(self, submission: Submission, *, stream: bool) -> Reply:
        """Keep a response as queued and answer with it, or with `stream` with all its events.

        From now on it has the lock of its conversation. Raises `InvalidRequestError` on a gateway
        without a store, and `StoreError`.
        """
        store, crew = self._keeper.store, self._crew
        envelope = replace(submission.envelope, headers={})
        response = replace(submission.response, status="queued", background=True, store=True)
        job = Job(
            response_id=response.id,
            tenant=submission.tenant,
            request=seal_envelope(self._seal, submission.tenant, response.id, envelope),
        )
        record = record_of(response, submission.tenant, self._keeper.expiry())
        if conversation_id := submission.prior.origin.conversation_id:
            now = self._ids.now()
            until = now + self._pace.queue
            await store.lock(submission.tenant, conversation_id, response.id, now=now, until=until)
        await write_grown(
            lambda origin, told: store.enqueue(record, origin, told, job),
            submission.prior,
            submission.inputs,
        )
        if crew is not None:
            crew.wake()
        if stream:
            return Streamed(blocks=await self.follow(submission.tenant, response.id, -1))
        return Whole(body=encode(response), outcome="queued")

    async def follow(self, tenant: str, response_id: str, after: int) -> Following:
        """Return the events with numbers above `after`, those to come included.

        Raises `NotFoundError` and `StoreError`.
        """
        following = Following(
            self._keeper.store, self._bells, self._pace, tenant=tenant, response_id=response_id
        )
        await following.begin(after)
        return following

    async def cancel(self, tenant: str, response_id: str) -> Whole:
        """End a response and answer with what it is then; one that is over is left as it is.

        Raises `NotFoundError`, `InvalidRequestError` for a response that was not made in the
        background, and `StoreError`.
        """
        store = self._keeper.store
        record, output = await self._load(tenant, response_id)
        if not in_background(record):
            raise InvalidRequestError(
                "only a response that was created with background set to true can be cancelled"
            )
        if await store.cancel(tenant, response_id):
            await self._end(tenant, response_id)
            record, output = await self._load(tenant, response_id)
        return Whole(body=stored_response(record, output), outcome=record.status)

    async def _load(self, tenant: str, response_id: str) -> tuple[Record, tuple[StoredItem, ...]]:
        found = await self._keeper.store.load(tenant, response_id)
        if found is None:
            raise NotFoundError(f"response with id {response_id!r} not found")
        return found

    async def _end(self, tenant: str, response_id: str) -> None:
        """See to it that work ends which somebody has asked to end: by ourselves if nobody is at
        it, else by whoever is.
        """
        if self._crew is None or self._workshop is None:
            return
        if job := await self._crew.claim(response_id):
            await Work(job, self._workshop).cancel()
            return
        self._crew.cancel(response_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.patience):
                await self._over(tenant, response_id)

    async def _over(self, tenant: str, response_id: str) -> None:
        """Wait until a response has ended."""
        while True:
            bell = self._bells.listen(response_id)
            found = await self._keeper.store.events(tenant, response_id, _BEYOND)
            if found is None or found.status in OVER:
                return
            await pause(bell, self._pace.first_look)
