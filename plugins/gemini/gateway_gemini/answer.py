"""What the parts of an answer say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.plugin import Annotation, Delta, Item, Refusal, Text, Thought, ToolCall
from gateway.plugin.bodies import members_of
from gateway.plugin.hosted import code_call, image_call
from gateway.plugin.names import told_names
from gateway.types.items import CodeInterpreterCall, FileSearchCall
from gateway.types.request import Request
from gateway_gemini.calls import CallReader
from gateway_gemini.computer import calls_on_screen
from gateway_gemini.grounding import Grounds
from gateway_gemini.signatures import Carrier
from gateway_gemini.tools import NAMES
from gateway_gemini.wire import FunctionCall

__all__ = ["AnswerReader"]

_NOTHING = Carrier()


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
        self._names = told_names(request, NAMES)
        self._include = request.include or ()
        self._carrier = _NOTHING
        self._texts: list[str] = []
        self._hosted: CodeInterpreterCall | FileSearchCall | None = None
        self._call: CallReader | None = None
        self._calls = 0
        self._thoughts = 0

    def read(self, told: dict[str, Any]) -> Iterator[Delta]:
        """Say what a part `told`. Raises `msgspec.ValidationError` and `UpstreamProtocolError`."""
        signature: str = told.get("thoughtSignature") or ""
        match told:
            case {"functionCall": call} if call is not None:
                yield from self._call_on(msgspec.convert(call, FunctionCall), signature)
            case {"thought": True}:
                yield from self._think(told)
            case {"text": str(text)} if text:
                yield from self._say(text, signature)
            case {"inlineData": {"mimeType": str(kind)}} if kind.startswith("image/"):
                yield from self._give_way(signature)
                self.spoke = True
                yield Item(image_call(told["inlineData"].get("data"), kind))
            case _ if any(told[name] is not None for name in told.keys() - {"text"}):
                yield from self._keep(told)
            case _:
                pass

    def refuse(self, words: str) -> Iterator[Delta]:
        """Say `words` in place of an answer."""
        yield from self._give_way()
        yield Refusal(words)

    def close(self) -> Iterator[Delta]:
        """Say what was held back until the end."""
        yield from self._end_call()
        yield from self._give_way()
        yield from map(Item, self.grounds.items(self._include))

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

    def _think(self, told: dict[str, Any]) -> Iterator[Delta]:
        if self._texts or self._hosted:
            yield from self._give_way()
        if told.get("thoughtSignature"):
            self._carry(told)
        yield Thought(str(told.get("text") or ""), self._thoughts, "summary")

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

    def _keep(self, told: dict[str, Any]) -> Iterator[Delta]:
        """Keep a part that only Gemini itself can read, and tell what a client may know of it."""
        if self._hosted and ("executableCode" in told or "toolCall" in told):
            yield from self._give_way()
        self._carry(told)
        match told, self._hosted:
            case {"executableCode": {"code": str(code)}}, _:
                self._hosted = code_call(code, "", (), status="incomplete")
            case {"toolCall": {"toolType": "FILE_SEARCH"}}, _:
                queries = tuple(members_of(told["toolCall"].get("args")).get("queries") or ())
                self._hosted = FileSearchCall(queries=queries, status="completed")
            case {"codeExecutionResult": {}}, CodeInterpreterCall(code=code):
                result = told["codeExecutionResult"]
                status = "completed" if result.get("outcome") == "OUTCOME_OK" else "failed"
                logs = result.get("output") or ""
                self._hosted = code_call(code or "", logs, self._include, status=status)
            case _:
                pass

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
        said = {"id": call.id, "name": call.name, "args": call.args}
        if actions := calls_on_screen(self._request, said, self._calls):
            yield from map(Item, actions)
        else:
            arguments = msgspec.json.encode(call.args).decode()
            name = self._names.get(call.name, call.name)
            yield ToolCall(self._calls, call.id, name, arguments)
