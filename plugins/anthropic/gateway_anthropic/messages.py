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
from gateway.plugin.names import safe_name
from gateway.plugin.pairing import CallIds, pair_outputs, read_arguments
from gateway.plugin.turns import Turns
from gateway.types import items
from gateway.types.request import Request
from gateway_anthropic import carriers
from gateway_anthropic.carriers import Block
from gateway_anthropic.computer import blocks_of, results_of
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
        self._quirks = quirks
        self._turns = Turns()
        self.messages = self._turns.messages
        self._ids = CallIds("[a-zA-Z0-9_-]+")
        self._add_system(write_content(request.instructions or "", quirks))
        asked = request.input or ()
        self._add_items(
            [items.Message(role="user", content=asked)] if isinstance(asked, str) else asked
        )
        if not self.messages:
            raise InvalidRequestError("there is nothing to answer: send text", param="input")

    def _add_items(self, given: Sequence[items.InputItem]) -> None:
        outputs = pair_outputs(given)
        for position, item in enumerate(given):
            match item:
                case items.Reasoning(encrypted_content=str(carrier)):
                    self._turns.say("assistant", *carriers.read(carrier))
                case items.Message(role="assistant", content=told):
                    self._turns.say("assistant", *write_content(told, self._quirks))
                case items.FunctionCall() | items.ComputerCall():
                    self._add_call(item, outputs[position], position)
                case items.Message(role=role, content=told):
                    self._turns.say("user")  # the results of the turn that ends here
                    add = self._add_user if role == "user" else self._add_system
                    add(write_content(told, self._quirks))
                case items.FunctionCallOutput() | items.ComputerCallOutput():
                    self._turns.say("user")
                case _:
                    pass  # what a tool of the vendor's did: it is in the carrier beside it
        self._turns.say("user")

    def _add_user(self, blocks: list[Block]) -> None:
        if blocks and self._turns.last_role == "system":
            blocks = _tagged(self.messages.pop()["content"]) + blocks
        self._turns.say("user", *blocks)

    def _add_system(self, blocks: list[Block]) -> None:
        """Add system text: ahead of everything, or where it stands.

        There it may only come between the user and the assistant, or last.
        """
        if not self.messages:
            self.system += blocks
        elif self._quirks.system_role and self._turns.last_role != "assistant":
            self._turns.say("system", *blocks)
        else:
            self._turns.say("user", *_tagged(blocks))

    def _add_call(
        self, call: items.FunctionCall | items.ComputerCall, output: Any, position: int
    ) -> None:
        call = replace(call, call_id=self._ids.take(call.call_id))
        if isinstance(call, items.ComputerCall):
            self._turns.say("assistant", *blocks_of(call))
            self._turns.answer(*results_of(call, write_part(output.output, self._quirks)))
            return
        use: Block = {"type": "tool_use", "id": call.call_id, "name": safe_name(call.name)}
        given = Raw(read_arguments(call, position).encode())
        self._turns.say("assistant", {**use, "input": given})
        result: Block = {"type": "tool_result", "tool_use_id": call.call_id}
        content = write_content(output.output, self._quirks)
        self._turns.answer({**result, "content": content} if content else result)


def _tagged(blocks: Sequence[Block]) -> list[Block]:
    return [{**block, "text": f"<system>\n{block['text']}\n</system>"} for block in blocks]
