"""What a model is to read in each round of a loop: the input, and all that came of it so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.core.draft import Draft, Items
from gateway.core.lowering.mcp_calls import object_of, output_of
from gateway.core.tool_loop.citing import Citing
from gateway.core.tool_loop.interception import Call, Intercepting, Scene
from gateway.core.tool_loop.offering import Offer, Offering, Stage
from gateway.plugin.dialect import Translator
from gateway.plugin.tools import Source, ToolOutcome
from gateway.stream.whole_items import item_id
from gateway.types.items import (
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    McpApprovalRequest,
    McpCall,
    OutputItem,
)
from gateway.types.request import Request
from gateway.types.response import Usage

__all__ = ["Dialogue"]


class Dialogue:
    """Owns what the model has said and read beyond the input of `request`.

    `said` is what it said in the last round, `rounds` how many there were, `exhausted` whether no
    more calls may be made, and `unruly` that the model cannot be kept from wanting some.
    """

    def __init__(
        self,
        request: Request,
        offering: Offering,
        tenant: str,
        *,
        ask: Callable[[Offer, str], McpApprovalRequest],
        mint: Callable[[str], str],
    ) -> None:
        """`ask` makes of a call what the client is asked, `mint` ids of prefixes."""
        self.said: Intercepting | None = None
        self._speaking: Intercepting | None = None
        self.rounds = 0
        self.unruly = False
        self._request = request
        self._offering = offering
        self._tenant = tenant
        self._ask = ask
        self._mint = mint
        self._items: list[InputItem] = []
        self._sources: dict[str, Source] = {}
        self._called = 0
        self._call_ids: set[str] = set()

    @property
    def exhausted(self) -> bool:
        ignored = self.said is not None and self.said.ignored
        return ignored or self._allowance == 0

    @property
    def stage(self) -> Stage:
        """What the round that is due is."""
        if self.exhausted:
            return "unruly" if self.unruly else "last"
        return "further" if self.rounds else "first"

    @property
    def _allowance(self) -> int | None:
        most = self._request.max_tool_calls
        return None if most is None else max(most - self._called, 0)

    def shape(self, draft: Draft) -> Draft:
        """Return the call of the model for the round that is due."""
        stage = self.stage
        charged = self.rounds == 0  # what came before the first round is paid once

        def write(items: Items) -> Request:
            return self._offering.write(draft.write(items), stage)

        def read(translator: Translator) -> Translator:
            inner = draft.read(translator) if charged else translator
            self._speaking = Intercepting(inner, self._scene())
            return self._speaking

        return Draft(
            items=(*draft.items, *self._items),
            write=write,
            read=read,
            locate=lambda path: self._offering.param(path, self._request.tools or ()),
            shrinks=draft.shrinks,
        )

    def heard(self) -> Intercepting:
        """Return what the model said in the round that is over."""
        said = self.said = self._speaking
        assert said is not None
        self.rounds += 1
        self._called += len(said.calls)
        return said

    def approved(self, items: Sequence[OutputItem]) -> None:
        """Note calls that the client had been asked about, and that are made by now."""
        self._items += items
        self._called += len(items)

    def answered(
        self, items: Sequence[OutputItem], calls: Sequence[Call], outcomes: Sequence[ToolOutcome]
    ) -> None:
        """Note the `items` that the last round gave, and what its `calls` came to."""
        by_id = {item_id(item): item for item in items}
        by_key = {call.key: call for call in calls if call.key}
        silent = [call for call in calls if not call.key]
        outputs: list[InputItem] = []
        for call, outcome in zip(calls, outcomes, strict=True):
            self._sources |= {source.url: source for source in outcome.sources}
            call.call_id = self._fresh(call.call_id)
            output = _read(by_id.get(call.key), outcome)
            outputs.append(FunctionCallOutput(call_id=call.call_id, output=output))
        for item in items:
            call = by_key.get(item_id(item) or "")
            self._items.append(item if call is None else _function_call(call))
        self._items += [*map(_function_call, silent), *outputs]

    def _scene(self) -> Scene:
        return Scene(
            offering=self._offering,
            citing=Citing(self._sources.values()),
            spent=self.said.used if self.said else Usage(),
            allowance=self._allowance,
            tenant=self._tenant,
            ask=self._ask,
            mint=self._mint,
        )

    def _fresh(self, call_id: str | None) -> str:
        """Return an id for a call that no other call of this response has."""
        fresh = call_id if call_id and call_id not in self._call_ids else self._mint("call")
        self._call_ids.add(fresh)
        return fresh


def _read(item: OutputItem | None, outcome: ToolOutcome) -> str:
    """Return what the model reads of a call: of MCP, the same that it reads in later requests."""
    return output_of(item) if isinstance(item, McpCall) else outcome.output


def _function_call(call: Call) -> FunctionCall:
    return FunctionCall(
        call_id=call.call_id or "", name=call.offer.name, arguments=object_of(call.arguments)
    )
