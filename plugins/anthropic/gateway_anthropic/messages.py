"""A request's instructions and items, written as the system text and the messages of Anthropic.

Anthropic wants one message of the assistant per turn, with all its calls, and their results at the
start of the user's message that follows, wherever the outputs stand in the input. What came with a
carrier goes back in its place, block by block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from gateway.errors import InvalidRequestError
from gateway.types import items
from gateway.types.content import ComputerScreenshot, ContentPart
from gateway.types.request import Request
from gateway_anthropic import carriers
from gateway_anthropic.carriers import Block
from gateway_anthropic.computer import blocks_of, results_of
from gateway_anthropic.names import safe_name
from gateway_anthropic.parts import write_content, write_part
from gateway_anthropic.quirks import Quirks

__all__ = ["Transcript"]

Call = items.FunctionCall | items.ComputerCall
Output = items.FunctionCallOutput | items.ComputerCallOutput

_decode_arguments = msgspec.json.Decoder(dict[str, Any]).decode


class Transcript:
    """The `system` blocks and the `messages` of what was said so far.

    Raises `InvalidRequestError` if that is nothing, if an output has no call, a call no output or
    arguments that are no JSON object.
    """

    def __init__(self, request: Request, quirks: Quirks) -> None:
        self.system: list[Block] = []
        self.messages: list[dict[str, Any]] = []
        self._quirks = quirks
        self._said: list[Block] = []
        self._results: list[Block] = []
        self._calls: dict[str, int] = {}
        self._add_system(write_content(request.instructions or "", quirks))
        if isinstance(request.input, str):
            self._add("user", write_content(request.input, quirks))
        else:
            self._add_items(request.input or ())
        if not self.messages:
            raise InvalidRequestError("there is nothing to answer: send text", param="input")

    def _add_items(self, given: Sequence[items.InputItem]) -> None:
        outputs = _pair(given)
        for position, item in enumerate(given):
            match item:
                case items.Reasoning(encrypted_content=str(carrier)):
                    self._said += carriers.read(carrier)
                case items.Message(role="assistant", content=told):
                    self._said += write_content(told, self._quirks)
                case items.FunctionCall() | items.ComputerCall():
                    self._add_call(item, outputs[position], f"input[{position}].arguments")
                case items.Message(role=role, content=told):
                    self._end_turn()
                    blocks = write_content(told, self._quirks)
                    self._add(role, blocks) if role == "user" else self._add_system(blocks)
                case items.FunctionCallOutput() | items.ComputerCallOutput():
                    self._end_turn()
                case _:
                    pass  # what a tool of the vendor's did: it is in the carrier beside it
        self._end_turn()

    def _add_system(self, blocks: list[Block]) -> None:
        """Add system text: ahead of everything, or where it stands.

        There it may only come between the user and the assistant, or last.
        """
        if not self.messages:
            self.system += blocks
        elif self._quirks.system_role and self.messages[-1]["role"] != "assistant":
            self._add("system", blocks)
        else:
            self._add("user", _tagged(blocks))

    def _add(self, role: str, blocks: list[Block]) -> None:
        """Add to the message of `role` that is under way, or begin one."""
        if blocks and role == "user" and self.messages and self.messages[-1]["role"] == "system":
            blocks = _tagged(self.messages.pop()["content"]) + blocks
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += blocks
        elif blocks:
            self.messages.append({"role": role, "content": blocks})

    def _add_call(self, call: Call, output: Output, path: str) -> None:
        again = self._calls[call.call_id] = self._calls.get(call.call_id, -1) + 1
        call = replace(call, call_id=safe_name(call.call_id, again))
        if isinstance(call, items.ComputerCall):
            screenshot = cast("ComputerScreenshot", output.output)
            self._said += blocks_of(call)
            self._results += results_of(call, write_part(screenshot, self._quirks))
            return
        told = cast("str | tuple[ContentPart, ...]", output.output)
        use: Block = {"type": "tool_use", "id": call.call_id, "name": safe_name(call.name)}
        self._said.append({**use, "input": _read_arguments(call, path)})
        result: Block = {"type": "tool_result", "tool_use_id": call.call_id}
        self._results.append({**result, "content": write_content(told, self._quirks)})

    def _end_turn(self) -> None:
        self._add("assistant", self._said)
        self._add("user", self._results)
        self._said, self._results = [], []


def _tagged(blocks: Sequence[Block]) -> list[Block]:
    return [{**block, "text": f"<system>\n{block['text']}\n</system>"} for block in blocks]


def _pair(given: Sequence[items.InputItem]) -> Mapping[int, Output]:
    """Return the output of each call by the call's position; calls of one id by their order.

    Raises `InvalidRequestError`, in OpenAI's words because clients look for them.
    """
    waiting: dict[str | None, list[tuple[int, Call]]] = {}
    outputs: dict[int, Output] = {}
    for position, item in enumerate(given):
        if isinstance(item, Call):
            waiting.setdefault(item.call_id, []).append((position, item))
        elif isinstance(item, Output):
            kind = item.type.replace("_", " ")
            calls = waiting.get(item.call_id or None, [])
            if not calls or f"{calls[0][1].type}_output" != item.type:
                message = f"No tool call found for {kind} with call_id {item.call_id or '(none)'}."
                raise InvalidRequestError(message, param="input")
            outputs[calls.pop(0)[0]] = item
    for _, call in (each for calls in waiting.values() for each in calls):
        message = f"No tool output found for {call.type.replace('_', ' ')} {call.call_id}."
        raise InvalidRequestError(message, param="input")
    return outputs


def _read_arguments(call: items.FunctionCall, path: str) -> dict[str, Any]:
    if call.arguments.strip() in ("", "null"):
        return {}
    try:
        return _decode_arguments(call.arguments)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequestError(
            f"the arguments of the call {call.call_id!r} are no JSON object: send them as the model"
            " wrote them, or leave out the call and its output",
            param=path,
        ) from error
