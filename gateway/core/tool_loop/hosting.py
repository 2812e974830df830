"""Requests with tools that the gateway runs, from their claim to their answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, Self, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.config import Config
from gateway.core.draft import Draft, Items
from gateway.core.exchange import Reply, Streamed, Whole
from gateway.core.intake import Intake
from gateway.core.pump import Pump, Writer
from gateway.core.tool_loop.approvals import Approvals, Pending
from gateway.core.tool_loop.dialogue import Dialogue
from gateway.core.tool_loop.listing import list_functions, planned
from gateway.core.tool_loop.loop import Errand, ToolLoop
from gateway.core.tool_loop.marks import Marks
from gateway.core.tool_loop.offering import Offer, Offering, address_of
from gateway.core.tool_loop.runners import Claim, Runners
from gateway.core.translating import Begun, Round, Translating
from gateway.core.turn import Turn
from gateway.errors import ConfigError
from gateway.ids import Ids, Seal
from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Dialect, NativeDialect
from gateway.plugin.manager import Plugins
from gateway.types.items import InputItem, McpApprovalRequest, McpApprovalResponse
from gateway.types.request import Request
from gateway.types.tools import McpTool
from gateway.types.wire import encode

__all__ = ["Deploy", "Guest", "Hosting", "has_approvals"]

T = TypeVar("T")

_DAY = 86400.0


class _Answer(Struct, frozen=True):
    approval_request_id: str = ""


_decode_answers = msgspec.json.Decoder(tuple[_Answer, ...]).decode


class Deploy(Protocol):
    """Does something on the first deployment where it succeeds; the next time, on that one."""

    async def __call__(self, step: Callable[[Deployment, Dialect], Awaitable[T]], /) -> T: ...


class Guest(Struct, frozen=True, kw_only=True):
    """A request with tools that the gateway runs."""

    intake: Intake
    turn: Turn
    claims: tuple[Claim, ...]
    marks: Marks
    translating: Translating

    @property
    def context(self) -> tuple[InputItem, ...]:
        """The items of its whole input."""
        return (*self.turn.earlier, *self.turn.own)


class Hosting:
    """Owns the tools that the gateway runs: entering it starts their runners."""

    def __init__(
        self, config: Config, plugins: Plugins, ids: Ids, seal: Seal, clock: Callable[[], float]
    ) -> None:
        """`clock` counts seconds. Raises `ConfigError` for servers that no plugin runs."""
        self._runners = Runners(plugins.tool_runners(config))
        if config.mcp_servers and not self._runners.runs("mcp"):
            raise ConfigError("mcp_servers: no plugin runs MCP servers; install gateway-mcp")
        self._limits = config.tools
        self._lifetime = config.state.retention_days * _DAY
        self._ids = ids
        self._seal = seal
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._runners.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._runners.__aexit__(*exception)

    def claims(
        self,
        intake: Intake,
        candidates: Sequence[Deployment],
        dialect: Callable[[Deployment], Dialect | NativeDialect],
    ) -> tuple[Claim, ...]:
        """Return the tools that the gateway runs. Raises `InvalidRequestError`."""
        answered = self._answers_us(intake)
        return self._runners.claims(intake, candidates, dialect, answered=answered)

    def _answers_us(self, intake: Intake) -> bool:
        """Say whether the client answers what this gateway has asked, and no upstream."""
        written = bytes(intake.head.input)
        if b"mcp_approval_response" not in written:
            return False
        try:
            items = _decode_answers(written)
        except msgspec.MsgspecError:
            return False  # whoever reads all of it says what is wrong
        return any(
            item.approval_request_id
            and self._seal.opens_approval(intake.tenant, item.approval_request_id)
            for item in items
        )

    def check(self, guest: Guest) -> Callable[[Draft], Draft]:
        """Raise `InvalidRequestError` for approvals that do not count. Return how drafts look as
        long as nobody has asked the tools.
        """
        self._pending(guest)
        offering = Offering((claim, ()) for claim in guest.claims)

        def shape(draft: Draft) -> Draft:
            def write(items: Items) -> Request:
                return offering.write_unlisted(draft.write(items))

            return replace(draft, write=write)

        return shape

    async def answer(
        self, guest: Guest, deploy: Deploy, ended: Callable[[Writer, str], None]
    ) -> Reply:
        """Return the answer to `guest`. Raises `InvalidRequestError`, `ToolError` and what the
        models raise.
        """
        loop = self._loop(guest, deploy)
        if not guest.intake.stream:
            await loop.drain()
            body = encode(await guest.translating.settle(loop.response))
            return Whole(body=body, headers=loop.headers, outcome=loop.outcome, usage=loop.usage)
        blocks = _Blocks(loop)
        try:
            first = await loop.begin()
        except BaseException:
            blocks.close()
            raise

        async def last() -> bytes:
            return loop.last(await guest.translating.settle(loop.response))

        return Streamed(
            blocks=Pump(loop, blocks, first, last=last, ended=ended), headers=loop.headers
        )

    async def count(self, guest: Guest, deploy: Deploy) -> Whole:
        """Return how many input tokens `guest` has, the functions of its tools included."""
        listings = planned(guest.claims, guest.context)
        listed = await list_functions(listings, guest.intake.tenant, self._limits.call_seconds)
        for error in filter(None, (one.error for one in listed)):
            raise error
        offering = Offering((one.listing.claim, one.functions) for one in listed)
        shape = self._dialogue(guest, offering).shape

        async def count(deployment: Deployment, dialect: Dialect) -> Whole:
            return await guest.translating.count(deployment, dialect, shape)

        return await deploy(count)

    def _loop(self, guest: Guest, deploy: Deploy) -> ToolLoop:
        translating = guest.translating

        async def ask(round: Round) -> Begun:
            async def begin(deployment: Deployment, dialect: Dialect) -> Begun:
                return await translating.begin(deployment, dialect, round)

            return await deploy(begin)

        return ToolLoop(
            Errand(
                claims=guest.claims,
                context=guest.context,
                approvals=self._approvals(guest),
                pending=self._pending(guest),
                assembler=translating.assembler(),
                ask=ask,
                draft=lambda: translating.draft,
                dialogue=partial(self._dialogue, guest),
                include=guest.turn.asked.include or (),
                tenant=guest.intake.tenant,
                mint=self._ids.mint,
                clock=self._clock,
                limits=self._limits,
                stream=guest.intake.stream,
            )
        )

    def _dialogue(self, guest: Guest, offering: Offering) -> Dialogue:
        approvals = self._approvals(guest)

        def ask(offer: Offer, arguments: str) -> McpApprovalRequest:
            return approvals.request(
                server_label=offer.server_label or "",
                name=offer.function.name,
                arguments=arguments,
                address=offer.address,
            )

        return Dialogue(
            guest.turn.request, offering, guest.intake.tenant, ask=ask, mint=self._ids.mint
        )

    def _approvals(self, guest: Guest) -> Approvals:
        tenant = guest.intake.tenant
        return Approvals(self._seal, self._ids, guest.marks, tenant, self._lifetime)

    def _pending(self, guest: Guest) -> Pending:
        addresses = {
            claim.tool.server_label: address_of(claim.tool)
            for claim in guest.claims
            if isinstance(claim.tool, McpTool)
        }
        turn = guest.turn
        return self._approvals(guest).pending(turn.own, turn.earlier, addresses)


class _Blocks:
    """The blocks of a loop, in the place of an upstream's answer."""

    status = 200

    def __init__(self, loop: ToolLoop) -> None:
        self.headers: Mapping[str, str] = {}
        self._loop = loop

    @property
    def ended(self) -> bool:
        return self._loop.ended

    async def chunk(self) -> bytes:
        return await self._loop.chunk()

    async def body(self) -> bytes:
        chunks: list[bytes] = []
        while chunk := await self.chunk():
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        self._loop.stop()


def has_approvals(turn: Turn) -> bool:
    """Say whether a request answers what the client was asked."""
    return any(isinstance(item, McpApprovalResponse) for item in turn.own)
