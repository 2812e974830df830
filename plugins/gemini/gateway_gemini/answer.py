"""What the parts of an answer say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.plugin import Annotation, Delta, Item, Refusal, Text, Thought, ToolCall
from gateway.types.items import (
    CodeInterpreterCall,
    ComputerCall,
    FileSearchCall,
    ImageGenerationCall,
)
from gateway.types.request import Request
from gateway.types.tools import ComputerTool, ComputerUsePreviewTool
from gateway_gemini.calls import CallReader
from gateway_gemini.computer import computer_calls
from gateway_gemini.grounding import Grounds
from gateway_gemini.signatures import Carrier
from gateway_gemini.sizes import screen_size
from gateway_gemini.wire import CodeResult, FunctionCall, Part

__all__ = ["AnswerReader"]

_NOTHING = Carrier()
_Computer = ComputerTool | ComputerUsePreviewTool


class AnswerReader:
    """Reads the parts of one answer to `request` in their order.

    What must come back is told ahead of what it belongs to, if it comes in time, else after it: as
    soon as something else begins, or at the end. So long a message is open for its sources. `spoke`
    says whether there was anything but thoughts.
    """

    def __init__(self, request: Request) -> None:
        self.grounds = Grounds()
        self.spoke = False
        self._request = request
        self._carrier = _NOTHING
        self._texts: list[str] = []
        self._hosted: CodeInterpreterCall | FileSearchCall | None = None
        self._call: CallReader | None = None
        self._calls = 0
        self._thoughts = 0

    def read(self, told: dict[str, Any]) -> Iterator[Delta]:
        """Say what a part `told`. Raises `msgspec.ValidationError` and `UpstreamProtocolError`."""
        part = msgspec.convert(told, Part)
        signature = part.thought_signature or ""
        blob = part.inline_data
        if part.function_call:
            yield from self._call_on(part.function_call, signature)
        elif part.thought:
            yield from self._think(part, told)
        elif part.text:
            yield from self._say(part.text, signature)
        elif blob and blob.mime_type and blob.mime_type.startswith("image/"):
            yield from self._give_way(signature)
            self.spoke = True
            form = blob.mime_type.removeprefix("image/")
            yield Item(
                ImageGenerationCall(status="completed", result=blob.data, output_format=form)
            )
        elif {name for name, value in told.items() if value is not None} - {"text"}:
            yield from self._keep(part, told)

    def refuse(self, words: str) -> Iterator[Delta]:
        """Say `words` in place of an answer."""
        yield from self._give_way()
        yield Refusal(words)

    def close(self) -> Iterator[Delta]:
        """Say what was held back until the end."""
        yield from self._end_call()
        yield from self._give_way()
        yield from map(
            Item, self.grounds.items(sources=self._wants("web_search_call.action.sources"))
        )

    def _wants(self, name: str) -> bool:
        return name in (self._request.include or ())

    def _give_way(self, signature: str = "", length: int = 0) -> Iterator[Delta]:
        """End what is open, for something else that has this signature of its own; for a text it
        is that of its first `length` characters.
        """
        if self._texts:
            yield from map(Annotation, self.grounds.cited_in("".join(self._texts)))
            self._texts = []
        carrier = self._carrier
        if signature:
            carrier = replace(carrier, next=signature, next_length=length)
        self._carrier = _NOTHING
        if carrier != _NOTHING:
            yield Thought(key=self._thoughts, carrier=carrier.written())
            self._thoughts += 1  # an item has but one carrier
        if self._hosted:
            yield Item(self._hosted)
            self._hosted = None

    def _think(self, part: Part, told: dict[str, Any]) -> Iterator[Delta]:
        if self._texts or self._hosted:
            yield from self._give_way()
        if part.thought_signature:
            self._carry(told)
        yield Thought(part.text or "", self._thoughts, "summary")

    def _say(self, text: str, signature: str) -> Iterator[Delta]:
        if not self._texts or self._carrier != _NOTHING:
            yield from self._give_way(signature, len(text))
        elif signature:
            self._carrier = Carrier(previous=signature, previous_length=len(text))
        self.spoke = True
        self._texts.append(text)
        yield Text(text)

    def _carry(self, told: dict[str, Any]) -> None:
        self._carrier = replace(self._carrier, parts=(*self._carrier.parts, told))

    def _keep(self, part: Part, told: dict[str, Any]) -> Iterator[Delta]:
        """Keep a part that only Gemini itself can read, and tell what a client may know of it."""
        if self._hosted and (part.executable_code or part.tool_call):
            yield from self._give_way()
        self._carry(told)
        if part.executable_code:
            code = part.executable_code.code
            self._hosted = CodeInterpreterCall(container_id="", code=code, status="incomplete")
        elif part.tool_call and part.tool_call.tool_type == "FILE_SEARCH":
            self._hosted = FileSearchCall(queries=part.tool_call.queries, status="completed")
        elif part.code_execution_result and isinstance(self._hosted, CodeInterpreterCall):
            self._hosted = self._ran(self._hosted, part.code_execution_result)

    def _ran(self, call: CodeInterpreterCall, result: CodeResult) -> CodeInterpreterCall:
        call = replace(call, status="completed" if result.outcome == "OUTCOME_OK" else "failed")
        if not self._wants("code_interpreter_call.outputs"):
            return call
        return replace(call, outputs=({"type": "logs", "logs": result.output or ""},))

    def _call_on(self, said: FunctionCall, signature: str) -> Iterator[Delta]:
        """Read a call, or a piece of one: then more may follow, and an empty one is its end."""
        if said.name:
            yield from self._end_call()
            self._call = CallReader(said, signature)
        if self._call:
            self._call.add(said)
        if not said.will_continue:
            yield from self._end_call()

    def _end_call(self) -> Iterator[Delta]:
        call, self._call = self._call, None
        if call is None:
            return
        yield from self._give_way(call.signature)
        self.spoke = True
        self._calls += 1
        if actions := self._on_screen(call):
            yield from map(Item, actions)
        else:
            arguments = msgspec.json.encode(call.args).decode()
            yield ToolCall(self._calls, call.id, call.name, arguments)

    def _on_screen(self, call: CallReader) -> list[ComputerCall]:
        """Return what `call` wants done on the client's screen, if it is about that."""
        if not any(isinstance(tool, _Computer) for tool in self._request.tools or ()):
            return []
        items = self._request.input if isinstance(self._request.input, tuple) else ()
        # Older models give no ids; conversations grow, so this one is new.
        call_id = call.id or f"call_{len(items) + self._calls}"
        said = {"id": call_id, "name": call.name, "args": call.args}
        return computer_calls(self._request, said, screen_size(self._request, items))
