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
from gateway.plugin.content import items_of
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


class Transcript(Turns):
    """The `system` blocks and the `messages` of what was said so far.

    Raises `InvalidRequestError` if that is nothing, if an output has no call, a call no output or
    arguments that are no JSON.
    """

    def __init__(self, request: Request, quirks: Quirks) -> None:
        super().__init__()
        self.system: list[Block] = []
        self._quirks = quirks
        self._ids = CallIds("[a-zA-Z0-9_-]+")
        self._add_system(write_content(request.instructions or "", quirks))
        given = items_of(request)
        outputs = pair_outputs(given)
        for position, item in enumerate(given):
            self._add(item, position, outputs.get(position))
        self.say("user")  # the results of the last turn
        if not self.messages:
            raise InvalidRequestError("there is nothing to answer: send text", param="input")

    def say(self, role: str, *blocks: Block) -> None:
        """Add to the message of `role`; the user's takes in system text that would precede it."""
        if blocks and role == "user" and self.last_role == "system":
            blocks = (*_tagged(self.messages.pop()["content"]), *blocks)
        super().say(role, *blocks)

    def _add(self, item: items.InputItem, position: int, output: Any) -> None:
        match item:
            case items.Reasoning(encrypted_content=str(carrier)):
                self.say("assistant", *carriers.read(carrier))
            case items.Message(role="user" | "assistant" as role, content=told):
                self.say(role, *write_content(told, self._quirks))
            case items.Message(content=told):
                self.say("user")
                self._add_system(write_content(told, self._quirks))
            case items.FunctionCall():
                self._add_call(item, read_arguments(item, position), output)
            case items.ComputerCall():
                call = replace(item, call_id=self._ids.take(item.call_id))
                self.say("assistant", *blocks_of(call))
                self.answer(*results_of(call, write_part(output.output, self._quirks)))
            case items.FunctionCallOutput() | items.ComputerCallOutput():
                self.say("user")  # the results of the turn that ends here
            case _:
                pass  # what a tool of the vendor's did: it is in the carrier beside it

    def _add_system(self, blocks: list[Block]) -> None:
        """Add system text: ahead of everything, or where it stands.

        There it may only come between the user and the assistant, or last.
        """
        if not self.messages:
            self.system += blocks
        elif self._quirks.system_role and self.last_role != "assistant":
            self.say("system", *blocks)
        else:
            self.say("user", *_tagged(blocks))

    def _add_call(self, call: items.FunctionCall, given: str, output: Any) -> None:
        call_id = self._ids.take(call.call_id)
        use: Block = {"type": "tool_use", "id": call_id, "name": safe_name(call.name)}
        self.say("assistant", {**use, "input": Raw(given.encode())})
        result: Block = {"type": "tool_result", "tool_use_id": call_id}
        content = write_content(output.output, self._quirks)
        self.answer({**result, "content": content} if content else result)


def _tagged(blocks: Sequence[Block]) -> list[Block]:
    return [{**block, "text": f"<system>\n{block['text']}\n</system>"} for block in blocks]
