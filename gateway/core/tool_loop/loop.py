"""Many answers of a model, and the calls between them, as one response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from gateway.config import ToolSettings
from gateway.core.draft import Draft
from gateway.core.tool_loop.approvals import Approvals, Approved, Pending
from gateway.core.tool_loop.calling import make_calls, told
from gateway.core.tool_loop.dialogue import Dialogue
from gateway.core.tool_loop.interception import Call, begun_call
from gateway.core.tool_loop.listing import Listed, Listing, list_functions, planned
from gateway.core.tool_loop.offering import Offering
from gateway.core.tool_loop.runners import Claim
from gateway.core.translating import Begun, Round
from gateway.core.translation import Part
from gateway.errors import GatewayError, InvalidRequestError, UpstreamError, UpstreamProtocolError
from gateway.plugin.transport import Answer
from gateway.stream.assembler import Assembler
from gateway.stream.deltas import (
    Delta,
    Finished,
    FinishReason,
    Hosted,
    HostedArguments,
    HostedEnd,
    Item,
)
from gateway.stream.sse import DONE, encode_frames
from gateway.types.events import Event
from gateway.types.items import InputItem, McpListTools
from gateway.types.response import Response, Usage

__all__ = ["Asker", "Errand", "ToolLoop"]


class Asker(Protocol):
    """Has a model answer one round, on whichever deployment. Raises like `Translating.begin`."""

    async def __call__(self, round: Round, /) -> Begun: ...


class Errand(Struct, frozen=True, kw_only=True):
    """What a loop is to do: `claims` are the tools that the gateway runs, `pending` the approvals
    to act on, `context` the items of the whole input.

    `draft` gives the call of the model that makes the answer, `dialogue` begins one with functions
    to be called, `clock` counts seconds.
    """

    claims: tuple[Claim, ...]
    context: Sequence[InputItem]
    approvals: Approvals
    pending: Pending
    assembler: Assembler
    ask: Asker
    draft: Callable[[], Draft]
    dialogue: Callable[[Offering], Dialogue]
    include: Collection[str]
    tenant: str
    mint: Callable[[str], str]
    clock: Callable[[], float]
    limits: ToolSettings
    stream: bool


class ToolLoop:
    """Makes one response: lists the tools, makes the calls that are approved, has the model answer,
    makes the calls that it wants, and so on until it has said all.

    `begin` gives the events up to the first thing that the client has to hear of, `chunk` further
    ones; what fails before is raised. It has the surface of a `Translation`, too.

    The steps are `_start`, `_list`, `_approve`, `_ask`, `_read`, `_turn` and `_call`: each returns
    events and says which step is `_next`. So nothing is under way between two steps but an answer
    of the model, and whoever is cancelled in one leaves nothing behind.
    """

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._assembler = errand.assembler
        self._next: Callable[[], Awaitable[bytes]] | None = self._start
        self._listings: tuple[tuple[Listing, McpListTools | None], ...] = ()
        self._offering = Offering(())
        self._dialogue = errand.dialogue(self._offering)
        self._answer: Answer | None = None
        self._part: Part | None = None
        self._calls: Sequence[Call] = ()
        self._denied = errand.pending.denied
        self._goes_on = True
        self._known = 0
        self._deadline = errand.clock() + errand.limits.seconds
        self._heard_of = False
        self._acted = False
        self.headers: Mapping[str, str] = {}
        self.ended = False
        self.failure: GatewayError | None = None

    @property
    def response(self) -> Response:
        return self._assembler.response

    @property
    def outcome(self) -> str:
        return self.response.status or "failed"

    @property
    def over(self) -> bool:
        return self.ended

    @property
    def usage(self) -> Usage | None:
        return self.response.usage

    async def begin(self) -> bytes:
        """Return the first events.

        Raises `InvalidRequestError`, `ToolError` if a tool does not say what it can do, and what
        the model raises.
        """
        block = b""
        while self._next is not None and not self._heard_of:
            block += await self._next()
        return block

    async def chunk(self) -> bytes:
        """Return more events, none at the end. Raises `GatewayError`."""
        while self._next is not None:
            if block := await self._next():
                return block
        return b""

    async def drain(self) -> None:
        """Go to the end. A failure after calls that were made is that of the response: trying again
        would make them again. Others are raised.
        """
        try:
            while self._next is not None:
                await self._next()
        except GatewayError as error:
            if not self._acted:
                raise
            self.fail(error)

    def stop(self) -> None:
        """Let go of the upstream, if it is still answering."""
        if self._answer is not None:
            self._answer.close()

    def feed(self, block: bytes, /) -> bytes:
        return block

    def close(self) -> bytes:
        return b""

    def fail(self, error: GatewayError, /) -> bytes:
        """Return the events of a failure; none if the response has ended already."""
        if self.ended:
            return b""
        self.failure = error
        return self._conclude(error)

    def last(self, response: Response) -> bytes:
        """Return the terminal event, with `response` as it is told to the client; once only."""
        block = self._write(self._assembler.terminal(response))
        return block + DONE if block else b""

    def refuse(self, error: GatewayError, /) -> bytes:
        """Tell, in place of the terminal event that is due, that the response failed after all."""
        self.failure = error
        return self._write(self._assembler.refuse(error)) + DONE

    async def _start(self) -> bytes:
        errand = self._errand
        events = self._assembler.start()
        plan = planned(errand.claims, errand.context)
        self._listings = tuple((listing, listing.item(errand.mint("mcpl"))) for listing in plan)
        begun = [item for _, item in self._listings if item is not None]
        self._next = self._list
        return self._write(events) + self._tell(Hosted(str(item.id), item) for item in begun)

    async def _list(self) -> bytes:
        plan = [listing for listing, _ in self._listings]
        listed = await list_functions(plan, self._errand.tenant, self._errand.limits.call_seconds)
        begun = [item for _, item in self._listings]
        block = self._tell(
            HostedEnd(str(item.id), one.item(item))
            for one, item in zip(listed, begun, strict=True)
            if item is not None
        )
        for error in filter(None, (one.error for one in listed)):
            if self._errand.stream:
                return block + self.fail(error)
            raise error
        self._offer(listed)
        self._next = self._approve
        return block

    def _offer(self, listed: Iterable[Listed]) -> None:
        functions = ((one.listing.claim, one.functions) for one in listed)
        self._offering = Offering(functions)
        self._dialogue = self._errand.dialogue(self._offering)

    async def _approve(self) -> bytes:
        """Begin the calls that the client has agreed to."""
        approvals, pending = self._errand.approvals, self._errand.pending
        self._calls = [self._approved_call(one) for one in pending.approved]
        for approved in pending.approved:
            await approvals.honour(approved)
        if not self._calls:
            self._next = self._ask
            return b""
        self._heard_of = True
        self._next = self._call
        deltas: list[Delta] = []
        for call in self._calls:
            begun = call.begin(begun_call(call, self._errand.mint))
            deltas += [begun, HostedArguments(call.key, call.arguments, complete=True)]
        return self._tell(deltas)

    def _approved_call(self, approved: Approved) -> Call:
        request = approved.request
        offer = self._offering.of_server(request.server_label, request.name)
        if offer is None:
            raise InvalidRequestError(
                f"the function {request.name!r} of the MCP server {request.server_label!r}, which"
                " was approved, is not among the tools of the request",
                param="tools",
            )
        call = Call(offer, approval_request_id=request.id or None)
        call.arguments = request.arguments
        return call

    async def _ask(self) -> bytes:
        """Have the model answer."""
        errand, limits = self._errand, self._errand.limits
        if self._dialogue.rounds >= limits.max_turns or errand.clock() >= self._deadline:
            return self._finish("max_messages")
        self._known = len(self.response.output)
        round = Round(assembler=self._assembler, shape=self._dialogue.shape)
        try:
            begun = await errand.ask(round)
        except InvalidRequestError as error:
            if self._dialogue.stage != "last" or error.param != "tool_choice":
                raise
            self._dialogue.unruly = True  # it knows no choice of none
            begun = await errand.ask(round)
        try:
            await self._deny()
        except BaseException:
            begun.answer.close()
            raise
        assert isinstance(begun.translation, Part)
        self._answer, self._part = begun.answer, begun.translation
        self.headers = {**begun.headers, **self.headers}
        self._heard_of = True
        self._next = self._read
        return begun.first

    async def _deny(self) -> None:
        """Use up the denials, now that the model hears of them: until then a client may retry."""
        denied, self._denied = self._denied, ()
        for one in denied:
            await self._errand.approvals.reject(one)

    async def _read(self) -> bytes:
        """Read on in the model's answer."""
        assert self._part is not None
        assert self._answer is not None
        block = b""
        if not self._part.over:
            chunk = await self._answer.chunk()
            try:
                block = self._part.feed(chunk) if chunk else self._part.close()
            except UpstreamError as error:
                block = self._part.fail(error)
        if self._part.over:
            self._answer.close()
            self._next = self._turn
        return block

    async def _turn(self) -> bytes:
        """Decide how to go on after an answer."""
        assert self._part is not None
        last = self._dialogue.exhausted
        said = self._dialogue.heard()
        if self._part.failure is not None:
            return self.fail(self._part.failure)
        if said.reason != "stop":
            return self._finish(said.reason)
        block = self._write(self._assembler.pause())
        self._calls = said.calls
        self._goes_on = not (said.waits or last) and bool(said.calls or said.ignored)
        if said.calls:
            self._next = self._call
        elif self._goes_on:
            self._next = self._ask
        else:
            block += self._finish("stop")
        return block

    async def _call(self) -> bytes:
        """Make the calls that are due."""
        self._acted = True
        calls, errand = self._calls, self._errand
        outcomes = await make_calls(calls, errand.tenant, errand.limits)
        made = zip(calls, outcomes, strict=True)
        items = [told(call, outcome, errand.include) for call, outcome in made]
        ends = zip(calls, items, strict=True)
        block = self._tell(HostedEnd(call.key, item) for call, item in ends if item is not None)
        if self._dialogue.rounds:
            new = self.response.output[self._known :]
            self._dialogue.answered(new, calls, outcomes)
        else:
            self._dialogue.approved([item for item in items if item is not None])
        if not self._goes_on:
            return block + self._finish("stop")
        self._next = self._ask
        return block

    def _finish(self, reason: FinishReason | None) -> bytes:
        """End the response; without a reason, the model's answer was cut short."""
        block = b""
        appendix = self._errand.draft().appendix
        if appendix is not None and reason == "stop":
            block = self._tell([Item(appendix(self.response.output))])
        if reason is None:
            self.failure = UpstreamProtocolError("the upstream's answer was cut short")
        else:
            block += self._tell([Finished(reason)])
        return block + self._conclude()

    def _conclude(self, error: GatewayError | None = None) -> bytes:
        self._next, self.ended = None, True
        return self._write(self._assembler.conclude(error))

    def _tell(self, deltas: Iterable[Delta]) -> bytes:
        events: list[Event] = []
        for delta in deltas:
            events += self._assembler.feed(delta)
        return self._write(events)

    def _write(self, events: list[Event]) -> bytes:
        return encode_frames(events) if events and self._errand.stream else b""
