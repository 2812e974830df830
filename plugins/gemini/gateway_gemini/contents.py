"""A request's instructions and items, written as Gemini's contents.

All that the model says between two items that are not its own is one content, and the results of
its calls are the next one, wherever they stand in the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from msgspec import Raw

from gateway.errors import InvalidRequestError
from gateway.plugin.content import items_of
from gateway.plugin.names import safe_name
from gateway.plugin.pairing import pair_outputs, read_arguments
from gateway.types.items import (
    CodeInterpreterCall,
    ComputerCall,
    ComputerCallOutput,
    FileSearchCall,
    FunctionCall,
    FunctionCallOutput,
    ImageGenerationCall,
    InputItem,
    Message,
    Reasoning,
    WebSearchCall,
)
from gateway.types.request import Request
from gateway_gemini.computer_history import ComputerWriter, function_responses
from gateway_gemini.parts import Part, split, write_parts
from gateway_gemini.quirks import Quirks
from gateway_gemini.signatures import UNCHECKED, Carrier, read_carrier
from gateway_gemini.tools import NAMES

__all__ = ["write_conversation"]

_IN_RESULTS = ("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain")


def write_conversation(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Return the members of the body that hold the conversation.

    Raises `InvalidRequestError` if there is none, if an output has no call, a call no output or
    arguments that are no JSON, or for an item that Gemini has no place for.
    """
    writer = _Writer(request, quirks)
    writer.add_items(items_of(request))
    if not writer.contents:
        raise InvalidRequestError("there is nothing to answer: send text or items", param="input")
    if writer.contents[0]["role"] == "model":  # a conversation cannot begin with the model
        writer.contents.insert(0, {"role": "user", "parts": [{"text": "."}]})
    members: dict[str, Any] = {"contents": writer.contents}
    if writer.system:
        members["systemInstruction"] = {"parts": [{"text": "\n\n".join(writer.system)}]}
    return members


class _Turn:
    """What the model said, what its calls gave, and what of that only the user can say."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.results: list[Part] = []
        self.attached: list[Part] = []
        self._carrier = Carrier()

    def say(self, *parts: Part) -> None:
        """Add parts, of which the first may have its signature from the carrier before it."""
        if parts and self._carrier.next:
            self.parts += self._carrier.sign_start(parts[0])
            self._carrier, parts = Carrier(), parts[1:]
        self.parts += parts

    def remember(self, item: Reasoning) -> None:
        """Put back what Gemini wants back."""
        carrier = self._carrier = read_carrier(item.encrypted_content or None)
        if carrier.previous and self.parts and "text" in self.parts[-1]:
            self.parts[-1:] = carrier.sign_end(self.parts[-1]["text"])
        self.parts += carrier.parts


class _Writer:
    """Writes items in their order; the model's turn is written when it ends."""

    def __init__(self, request: Request, quirks: Quirks) -> None:
        self.contents: list[dict[str, Any]] = []
        self.system = [request.instructions] if request.instructions else []
        self._quirks = quirks
        self._turn = _Turn()
        self._computer = ComputerWriter(request, quirks.computer_functions)

    def add_items(self, items: Sequence[InputItem]) -> None:
        outputs = pair_outputs(items)
        for position, item in enumerate(items):
            match item:
                case FunctionCall():
                    self._add_call(item, position, outputs[position])
                case ComputerCall():
                    self._add_computer_call(item, items[:position], outputs[position])
                case _ if not self._add_said(item):
                    self._end_turn()
                    self._add_other(item)
                case _:
                    pass
        self._end_turn()

    def add_user(self, parts: list[Part]) -> None:
        last = self.contents[-1] if self.contents else {}
        said = cast("list[Part]", last.get("parts", []))
        if last.get("role") == "user" and not any("functionResponse" in part for part in said):
            said += parts
        elif parts:
            self.contents.append({"role": "user", "parts": parts})

    def _add_said(self, item: InputItem) -> bool:
        """Add `item` to what the model said, if it did."""
        match item:
            case Reasoning():
                self._turn.remember(item)
            case Message(role="assistant"):
                self._turn.say(*write_parts(item.content))
            case ImageGenerationCall(result=str(data)):
                kind = f"image/{item.output_format or 'png'}"
                self._turn.say({"inlineData": {"mimeType": kind, "data": data}})
            case _:  # a carrier beside it holds what Gemini wants of its own tools
                own = ImageGenerationCall | WebSearchCall | CodeInterpreterCall | FileSearchCall
                return isinstance(item, own)
        return True

    def _add_other(self, item: InputItem) -> None:
        match item:
            case Message(role="user"):
                self.add_user(write_parts(item.content))
            case Message():
                text, _ = split(item.content)
                if self.contents:
                    self.add_user([{"text": f"<system>\n{text}\n</system>"}])
                else:
                    self.system.append(text)
            case FunctionCallOutput() | ComputerCallOutput():
                pass  # it was written with its call
            case _:
                raise InvalidRequestError(
                    f"items of type {item.type!r} cannot be sent to this model", param="input"
                )

    def _add_call(self, call: FunctionCall, position: int, output: Any) -> None:
        arguments = Raw(read_arguments(call, position).encode())
        called = {"id": call.call_id, "name": safe_name(call.name, NAMES)}
        self._turn.say({"functionCall": {**called, "args": arguments}})
        self._turn.results.append({"functionResponse": {**called, **self._result(call, output)}})

    def _result(self, call: FunctionCall, output: Any) -> dict[str, Any]:
        text, attached = split(output.output)
        held = [part for part in attached if self._quirks.tool_files and _may_be_held(part)]
        if late := [part for part in attached if part not in held]:
            self._turn.attached += [{"text": f"Output of {call.name}:"}, *late]
        result: dict[str, Any] = {"response": _read_result(text)}
        return {**result, "parts": held} if held else result

    def _add_computer_call(
        self, call: ComputerCall, before: Sequence[InputItem], output: Any
    ) -> None:
        calls = self._computer.write(call, before)
        self._turn.say(*({"functionCall": one} for one in calls))
        results = function_responses(call, calls, output)
        self._turn.results += [{"functionResponse": result} for result in results]

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, _Turn()
        calls = [part for part in turn.parts if "functionCall" in part]
        if calls and self._quirks.wants_signatures:
            calls[0].setdefault("thoughtSignature", UNCHECKED)
        said = {"role": "model", "parts": turn.parts}
        given = {"role": "user", "parts": turn.results}
        self.contents += [content for content in (said, given) if content["parts"]]
        self.add_user(turn.attached)


def _read_result(text: str) -> dict[str, Any]:
    """Return the object that `text` is, or one that holds it: Gemini takes no other results."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {"output": text}


def _may_be_held(part: Part) -> bool:
    return part.get("inlineData", {}).get("mimeType") in _IN_RESULTS
