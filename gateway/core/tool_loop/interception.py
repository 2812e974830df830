"""A model's calls of functions that the gateway runs, taken out of what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from gateway.core.compaction import total
from gateway.core.tool_loop.citing import Citing
from gateway.core.tool_loop.offering import Offer, Offering
from gateway.plugin.dialect import Translator
from gateway.stream.deltas import (
    Annotation,
    CustomCall,
    Delta,
    Finished,
    FinishReason,
    Hosted,
    HostedArguments,
    Item,
    Key,
    Logprobs,
    Text,
    ToolCall,
    Used,
)
from gateway.stream.frames import Frame
from gateway.stream.whole_items import changed, id_prefix, item_id
from gateway.types.items import (
    ApplyPatchCall,
    ComputerCall,
    FunctionCall,
    LocalShellCall,
    McpApprovalRequest,
    McpCall,
    OutputItem,
    ShellCall,
    ToolSearchCall,
)
from gateway.types.response import Usage

__all__ = ["Call", "Intercepting", "Scene", "begun_call"]

_OF_CLIENTS = (
    FunctionCall,
    ComputerCall,
    ShellCall,
    LocalShellCall,
    ApplyPatchCall,
    ToolSearchCall,
)
"""Items that make the model wait for the client."""


class Call:
    """A call of a function that the gateway runs; `item` is what tells of it while it is made,
    `approval_request_id` what the client has agreed to.
    """

    def __init__(self, offer: Offer, approval_request_id: str | None = None) -> None:
        self.offer = offer
        self.approval_request_id = approval_request_id
        self.call_id: str | None = None
        self.arguments = ""
        self.item: OutputItem | None = None

    @property
    def key(self) -> str:
        """The id of the item, empty as long as there is none."""
        return (item_id(self.item) or "") if self.item is not None else ""

    def begin(self, item: OutputItem) -> Hosted:
        """Return how `item`, which has an id, tells of the begin of the call."""
        self.item = item
        return Hosted(self.key, item)


class Scene(Struct, frozen=True, kw_only=True):
    """What an answer of the model comes to pass in.

    `spent` is what earlier ones cost, `allowance` how many calls may still be made, `ask` makes of
    a call what the client is asked, and `mint` ids of prefixes.
    """

    offering: Offering
    citing: Citing
    spent: Usage
    allowance: int | None
    tenant: str
    ask: Callable[[Offer, str], McpApprovalRequest]
    mint: Callable[[str], str]


class Intercepting:
    """A translator around that of a dialect, for one answer of the model.

    `calls` are those that the gateway is to make now, in their order. `waits` says that the client
    has to act before the model can go on, `ignored` that the model wanted more calls than are
    allowed. The end of the answer is not told but kept as `reason`: more may follow. `used` is what
    all answers so far cost.
    """

    def __init__(self, translator: Translator, scene: Scene) -> None:
        self.calls: list[Call] = []
        self.waits = False
        self.ignored = False
        self.reason: FinishReason | None = None
        self.used = scene.spent
        self._translator = translator
        self._scene = scene
        self._taken: dict[Key, Call | None] = {}
        self._nameless: dict[Key, ToolCall] = {}
        self._unanswered: set[str | None] = set()
        self._begun = False

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means, but for the calls that are taken out."""
        if not self._begun:
            self._begun = True
            yield Used(self.used)
        for delta in self._translator.feed(frame):
            match delta:
                case Text():
                    yield from self._scene.citing.read(delta)
                    yield delta
                case ToolCall():
                    yield from self._read_call(delta)
                case Used(usage=usage):
                    self.used = total(self._scene.spent, usage)
                    yield Used(self.used)
                case Finished(reason=reason):
                    yield from self._end(reason)
                case Annotation() | Logprobs():
                    yield delta
                case _:
                    self._note(delta)
                    yield from self._scene.citing.end()
                    yield delta

    def _note(self, delta: Delta) -> None:
        """Note what the client has to answer: nothing that is answered at the upstream itself."""
        match delta:
            case CustomCall():
                self.waits = True
            case Item(item) if isinstance(item, _OF_CLIENTS):
                self._unanswered.add(item.call_id or None)
            case Item(item) if item.type.endswith("_output"):
                self._unanswered.discard(getattr(item, "call_id", None) or None)
            case _:
                pass

    def _read_call(self, delta: ToolCall) -> Iterator[Delta]:
        if delta.key in self._taken:
            call = self._taken[delta.key]
            if call is not None:
                yield from self._go_on(call, delta)
            return
        earlier = self._nameless.pop(delta.key, None)
        if earlier is not None:
            delta = _joined(earlier, delta)
        if not delta.name:
            self._nameless[delta.key] = delta
            return
        yield from self._scene.citing.end()
        offer = self._scene.offering.find(delta.name)
        if offer is None:
            self.waits = True
            yield delta
        else:
            yield from self._take(offer, delta)

    def _take(self, offer: Offer, delta: ToolCall) -> Iterator[Delta]:
        allowance = self._scene.allowance
        if allowance is not None and len(self._taken) >= allowance:
            self.ignored = True
            self._taken[delta.key] = None
            return
        call = self._taken[delta.key] = Call(offer)
        if offer.server_label and not offer.function.needs_approval:
            yield call.begin(begun_call(call, self._scene.mint))
        yield from self._go_on(call, delta)

    def _go_on(self, call: Call, delta: ToolCall) -> Iterator[Delta]:
        call.call_id = call.call_id or delta.call_id
        call.arguments += delta.arguments
        if call.key and delta.arguments:
            yield HostedArguments(call.key, delta.arguments)

    def _end(self, reason: FinishReason) -> Iterator[Delta]:
        self.reason = reason
        self.waits = self.waits or bool(self._unanswered)
        yield from self._scene.citing.end()
        if reason != "stop":
            return
        for call in filter(None, self._taken.values()):
            if call.offer.function.needs_approval:
                self.waits = True
                yield Item(self._scene.ask(call.offer, call.arguments))
                continue
            self.calls.append(call)
            if call.key:
                yield HostedArguments(call.key, complete=True)
            else:
                yield from self._announce(call)
        yield from self._nameless.values()

    def _announce(self, call: Call) -> Iterator[Delta]:
        invocation = call.offer.invocation(call.arguments, self._scene.tenant)
        item = call.offer.claim.runner.announce(invocation)
        if item is not None:
            yield call.begin(changed(item, id=self._scene.mint(id_prefix(item))))


def begun_call(call: Call, mint: Callable[[str], str]) -> McpCall:
    """Return the item that tells of a call of an MCP server which is about to be made."""
    return McpCall(
        id=mint("mcp"),
        name=call.offer.function.name,
        arguments="",
        server_label=call.offer.server_label or "",
        status="in_progress",
        approval_request_id=call.approval_request_id,
    )


def _joined(earlier: ToolCall, later: ToolCall) -> ToolCall:
    return ToolCall(
        later.key,
        earlier.call_id or later.call_id,
        later.name,
        earlier.arguments + later.arguments,
        earlier.namespace or later.namespace,
    )
