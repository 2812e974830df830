"""The engine: a request and its caller in, an answer or a stream of events out.

The proxy and the SDK both stand on `Engine.respond`. Whatever fails before the first byte is
raised as a `GatewayError`; after it, the stream itself says so and ends with one terminal event.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Self, TypeVar

from msgspec.structs import replace

from gateway.config import Config, secret
from gateway.core.attempts import Attempts
from gateway.core.backends import Backends
from gateway.core.background import Background, Pace, Submission
from gateway.core.conversations import Conversations
from gateway.core.deployments import deployments
from gateway.core.exchange import Envelope, Reply, Streamed, Whole
from gateway.core.headers import returned_headers
from gateway.core.importing import take_history
from gateway.core.intake import take_in
from gateway.core.keeper import Keeper, StoreState
from gateway.core.limits import Permits
from gateway.core.made import Made
from gateway.core.native import NativePath
from gateway.core.order import Order
from gateway.core.principal import Principal
from gateway.core.pump import Pump, Writer
from gateway.core.reading import Reading, perform
from gateway.core.router import Router
from gateway.core.state import State
from gateway.core.tool_loop.hosting import Guest, Hosting, has_approvals
from gateway.core.trace import Trace
from gateway.core.translating import Translating, Workbench
from gateway.core.turn import Turn
from gateway.errors import GatewayError
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Dialect, NativeDialect, native
from gateway.plugin.manager import Plugins
from gateway.plugin.transport import Transport
from gateway.stream.splice import splice
from gateway.types.items import InputItem
from gateway.types.response import Usage
from gateway.upstream.grants import Grants
from gateway.upstream.health import Health
from gateway.upstream.launch import Launcher
from gateway.upstream.transport import HttpTransport

__all__ = ["Engine", "Made"]

T = TypeVar("T")


class Engine:
    """Serves requests with the deployments of one configuration and the offers of its plugins.

    An async context manager: entering it starts what the configuration wants started, leaving it
    closes every connection and process. Tests put their own `transport`, `ids` and `clock`
    (seconds, monotonic) in.
    """

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        *,
        transport: Transport | None = None,
        ids: Ids | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        chance = random.Random()
        self._config = config
        self._ids = ids or Ids()
        self._clock = clock
        self._seal = Seal(secret(config))
        self._providers = plugins.providers()
        self.router = Router(deployments(config, self._providers), chance)
        self._state = State(config, plugins, self._ids, self._in_background)
        self._launcher = Launcher()
        self._grants = Grants()
        self._backends = Backends(
            self._providers, transport or HttpTransport(), self._launcher, self._grants
        )
        self._bench = Workbench(backends=self._backends, ids=self._ids, seal=self._seal)
        self._attempts = Attempts(Health(clock), chance)
        self._native = NativePath(
            router=self.router, seal=self._seal, ids=self._ids, shared=len(config.api_keys) > 1
        )
        self._hosting = Hosting(config, plugins, self._ids, self._seal, clock)
        self._permits = Permits(config.server.max_in_flight)
        self._observers = plugins.observers(config)
        self._resources = AsyncExitStack()

    def _in_background(self, keeper: Keeper) -> Background:
        config = self._config
        pace = Pace(drain=config.server.drain_seconds, lease=config.state.lease_seconds)
        return Background(keeper, self, self._seal, self._ids, pace=pace)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as resources:
            await resources.enter_async_context(self._launcher)
            await resources.enter_async_context(self._grants)
            resources.push_async_callback(self._backends.aclose)
            await resources.enter_async_context(self._hosting)
            await resources.enter_async_context(self._state)
            for entry in self._config.models:
                if entry.launch == "start":
                    for deployment in self.router.route(entry.name):
                        await self._backends.locate(deployment)
            self._resources = resources.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._resources.aclose()

    def stop(self) -> None:
        """Take up no more work in the background before the engine is left: what is under way has
        `drain_seconds` from now on, and no more time the second time.
        """
        self._state.background.stop()

    def models(self) -> list[str]:
        """Return the model names that clients may ask for."""
        return self.router.models

    @property
    def conversations(self) -> Conversations:
        """The conversations that the gateway keeps."""
        return self._state.conversations

    async def store_state(self) -> StoreState:
        """Say how the store is now, on which all that is kept depends."""
        return await self._state.keeper.state()

    async def respond(self, envelope: Envelope, principal: Principal) -> Reply:
        """Answer `envelope` for `principal`. Raises `GatewayError` before the first byte of the
        answer.

        The blocks of a `Streamed` answer must be closed: leaving them early cancels the
        upstream.
        """
        trace = self._trace(envelope, principal)
        return await self._under_way(trace, self._answer(envelope, principal, trace))

    async def make(self, envelope: Envelope, principal: Principal, response_id: str) -> Made:
        """Make the response that `envelope` asks for in the background, under the id that it was
        queued with. Raises like `respond`.

        Nothing is kept: whoever asked does that, and must close what is made.
        """
        trace = self._trace(envelope, principal)
        reply = await self._under_way(trace, self._make(envelope, principal, trace, response_id))
        assert isinstance(reply, Streamed)
        assert isinstance(reply.blocks, Pump)
        return Made(reply.blocks)

    def _trace(self, envelope: Envelope, principal: Principal) -> Trace:
        return Trace(
            request_id=envelope.request_id,
            tenant=principal.tenant,
            operation=envelope.operation,
            now=self._clock,
        )

    async def _under_way(self, trace: Trace, work: Coroutine[Any, Any, Reply]) -> Reply:
        """Return what `work` returns, with a permit, and with the observers told of its end."""
        try:
            self._permits.take()
        except GatewayError:
            work.close()
            raise
        try:
            reply = await work
        except GatewayError as error:
            self._end(trace, "failed", error=error)
            raise
        except BaseException:
            self._end(trace, "cancelled")
            raise
        if isinstance(reply, Whole):
            self._end(trace, reply.outcome, usage=reply.usage)
        elif not isinstance(reply.blocks, Pump):  # out of the store: nothing is under way for it
            self._end(trace, "completed")
        return reply

    async def _answer(self, envelope: Envelope, principal: Principal, trace: Trace) -> Reply:
        intake = take_in(envelope, principal.tenant, self._seal)
        trace.model, trace.stream = intake.model, intake.stream
        if intake.kept_id:
            return await self._state.kept.answer(intake)
        candidates = self.router.candidates(intake)
        claims = self._hosting.claims(intake, candidates, self._backends.dialect)
        brought: tuple[InputItem, ...] = ()
        known_there = not claims and intake.account == candidates[0].account
        if intake.model and intake.account is not None and not known_there:
            brought = await take_history(
                self._backends, self.router.holder(intake), intake.previous_id or ""
            )
            intake = replace(intake, account=None, previous_id=None)
        here = bool(claims) or any(map(self._keeps_here, candidates))
        turn = await self._state.turn(intake, here=here, brought=brought) if intake.model else None
        order = Order(intake, trace, turn, claims)
        if intake.head.background:
            if turn is not None and (claims or self._translates(candidates[0])):
                return await self._queue(order, turn, candidates[0])
            candidates = [one for one in candidates if not self._translates(one)]
        return await self._run(order, candidates)

    async def _queue(self, order: Order, turn: Turn, deployment: Deployment) -> Reply:
        """Put off the making of a response, but not what `deployment` would refuse of it."""
        translating = Translating(order.intake, turn, order.trace, self._bench)
        guest = self._guest(order, translating, [deployment])
        try:
            shape = self._hosting.check(guest) if guest else None
            dialect = self._backends.dialect(deployment)
            if native(dialect):
                dialect = Reading(dialect)
            response, headers = translating.queued(deployment, dialect, shape)
            submission = Submission(
                envelope=order.intake.envelope,
                tenant=order.intake.tenant,
                response=response,
                prior=turn.prior,
                inputs=turn.inputs,
            )
            background = self._state.background
            reply = await background.submit(submission, stream=order.intake.stream)
        except BaseException:
            order.abandon()
            raise
        turn.leave()
        return replace(reply, headers=headers)

    async def _make(
        self, envelope: Envelope, principal: Principal, trace: Trace, response_id: str
    ) -> Reply:
        intake = take_in(envelope, principal.tenant, self._seal)
        intake = replace(intake, stream=True, account=None, previous_id=None)  # all is here by now
        trace.model, trace.stream = intake.model, True
        candidates = self.router.candidates(intake)
        claims = self._hosting.claims(intake, candidates, self._backends.dialect)
        candidates = [one for one in candidates if claims or self._translates(one)]
        turn = await self._state.turn(intake, here=True, response_id=response_id)
        return await self._run(Order(intake, trace, turn, claims), candidates)

    async def _run(self, order: Order, candidates: Sequence[Deployment]) -> Reply:
        """Return the answer of the first of `candidates` that gives one."""
        translating = Translating(order.intake, order.turn, order.trace, self._bench)
        if guest := self._guest(order, translating, candidates):
            return await self._host(order, guest, candidates)

        async def attempt(deployment: Deployment) -> Reply:
            order.trace.attempt(deployment)
            deployment = order.intake.envelope.adjust(await self._backends.locate(deployment))
            dialect = self._backends.dialect(deployment)
            if native(dialect):
                return await self._relay(order, deployment, dialect)
            return await self._translate(order, translating, deployment, dialect)

        try:
            return await self._attempts.run(candidates, attempt)
        except BaseException:
            order.abandon()
            raise

    def _guest(
        self, order: Order, translating: Translating, candidates: Sequence[Deployment]
    ) -> Guest | None:
        """Return the request as one with tools that the gateway runs, if it is one."""
        turn = order.turn
        if turn is None or order.intake.envelope.operation == "compact":
            return None
        answers = has_approvals(turn) and any(map(self._translates, candidates))
        if not (order.claims or answers):
            return None
        return Guest(
            intake=order.intake,
            turn=turn,
            claims=order.claims,
            marks=self._state.marks,
            translating=translating,
        )

    async def _host(self, order: Order, guest: Guest, candidates: Sequence[Deployment]) -> Reply:
        """Return the answer of a model whose tools the gateway runs, on one of `candidates`."""
        chosen = list(candidates)

        async def deploy(step: Callable[[Deployment, Dialect], Awaitable[T]]) -> T:
            async def attempt(deployment: Deployment) -> T:
                order.trace.attempt(deployment)
                located = order.intake.envelope.adjust(await self._backends.locate(deployment))
                dialect = self._backends.dialect(located)
                done = await perform(dialect, partial(step, located))
                chosen[:] = [deployment]
                return done

            return await self._attempts.run(chosen, attempt)

        try:
            if order.intake.envelope.operation == "input_tokens":
                return await self._hosting.count(guest, deploy)
            return await self._hosting.answer(guest, deploy, self._ender(order))
        except BaseException:
            order.abandon()
            raise

    def _keeps_here(self, deployment: Deployment) -> bool:
        return deployment.history == "gateway" or self._translates(deployment)

    def _translates(self, deployment: Deployment) -> bool:
        return not native(self._backends.dialect(deployment))

    async def _relay(self, order: Order, deployment: Deployment, dialect: NativeDialect) -> Reply:
        intake, turn = order.intake, order.turn
        request = self._native.encode(intake, deployment, dialect, turn)
        opened = await self._backends.open(deployment, request)
        order.trace.first_byte()
        try:
            if not intake.stream:
                whole = await self._native.whole(intake, deployment, opened, turn)
                opened.answer.close()
                if turn is not None and (changes := await turn.append(whole.body, deployment)):
                    return replace(whole, body=splice(whole.body, changes))
                return whole
            relay = self._native.relay(intake, deployment, opened, turn)
            first = relay.feed(opened.first)
        except BaseException:
            opened.answer.close()
            raise

        async def last() -> bytes:
            return relay.last(await turn.append(relay.response, deployment) if turn else {})

        return Streamed(
            blocks=Pump(relay, opened.answer, first, last=last, ended=self._ender(order)),
            headers=returned_headers(opened.answer.headers),
        )

    async def _translate(
        self, order: Order, translating: Translating, deployment: Deployment, dialect: Dialect
    ) -> Reply:
        if order.intake.envelope.operation == "input_tokens":
            return await translating.count(deployment, dialect)
        begun = await translating.begin(deployment, dialect)
        if not order.intake.stream:
            return await translating.whole(begun)
        translation = begun.translation

        async def last() -> bytes:
            return translation.last(await translating.settle(translation.response))

        ended = self._ender(order)
        blocks = Pump(translation, begun.answer, begun.first, last=last, ended=ended)
        return Streamed(blocks=blocks, headers=begun.headers)

    def _ender(self, order: Order) -> Callable[[Writer, str], None]:
        """Return what is to be called at the end of the order's stream."""

        def ended(writer: Writer, outcome: str) -> None:
            order.abandon()
            usage = writer.usage if self._observers else None
            self._end(order.trace, outcome, error=writer.failure, usage=usage)

        return ended

    def _end(
        self,
        trace: Trace,
        outcome: str,
        *,
        error: GatewayError | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._permits.give_back()
        if self._observers:
            trace.end(self._observers, outcome, error=error, usage=usage)
