"""A request's instructions and items, written as the system text and the messages of Anthropic.

Anthropic wants one message of the assistant per turn, with all its calls, and their results at the
start of the user's message that follows, wherever the outputs stand in the input. What came with a
carrier goes back in its place, block by block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from gateway.errors import InvalidRequestError
from gateway.plugin.pairing import CallIds, pair_outputs, read_arguments
from gateway.types import items
from gateway.types.request import Request
from gateway_anthropic import carriers
from gateway_anthropic.carriers import Block
from gateway_anthropic.computer import blocks_of, results_of
from gateway_anthropic.names import safe_name
from gateway_anthropic.parts import write_content, write_part
from gateway_anthropic.quirks import Quirks

__all__ = ["Transcript"]


class Transcript:
    """The `system` blocks and the `messages` of what was said so far.

    Raises `InvalidRequestError` if that is nothing, if an output has no call, a call no output or
    arguments that are no JSON.
    """

    def __init__(self, request: Request, quirks: Quirks) -> None:
        self.system: list[Block] = []
        self.messages: list[dict[str, Any]] = []
        self._quirks = quirks
        self._said: list[Block] = []
        self._results: list[Block] = []
        self._ids = CallIds("[a-zA-Z0-9_-]+")
        self._add_system(write_content(request.instructions or "", quirks))
        if isinstance(request.input, str):
            self._add("user", write_content(request.input, quirks))
        else:
            self._add_items(request.input or ())
        if not self.messages:
            raise InvalidRequestError("there is nothing to answer: send text", param="input")

    def _add_items(self, given: Sequence[items.InputItem]) -> None:
        outputs = pair_outputs(given)
        for position, item in enumerate(given):
            match item:
                case items.Reasoning(encrypted_content=str(carrier)):
                    self._said += carriers.read(carrier)
                case items.Message(role="assistant", content=told):
                    self._said += write_content(told, self._quirks)
                case items.FunctionCall() | items.ComputerCall():
                    self._add_call(item, outputs[position], position)
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

    def _add_call(
        self, call: items.FunctionCall | items.ComputerCall, output: Any, position: int
    ) -> None:
        call = replace(call, call_id=self._ids.take(call.call_id))
        if isinstance(call, items.ComputerCall):
            self._said += blocks_of(call)
            self._results += results_of(call, write_part(output.output, self._quirks))
            return
        use: Block = {"type": "tool_use", "id": call.call_id, "name": safe_name(call.name)}
        self._said.append({**use, "input": Raw(read_arguments(call, position).encode())})
        content = write_content(output.output, self._quirks)
        result: Block = {"type": "tool_result", "tool_use_id": call.call_id}
        self._results.append({**result, "content": content} if content else result)

    def _end_turn(self) -> None:
        self._add("assistant", self._said)
        self._add("user", self._results)
        self._said, self._results = [], []


def _tagged(blocks: Sequence[Block]) -> list[Block]:
    return [{**block, "text": f"<system>\n{block['text']}\n</system>"} for block in blocks]
