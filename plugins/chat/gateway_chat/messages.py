"""A request's instructions and items, written as the messages of a chat.

Chat Completions wants one assistant message per turn, with all its tool calls, and every tool's
result right after it. So the assistant's items between two others are gathered into a `_Turn`, and
the outputs of its calls follow it, wherever they stand in the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.errors import InvalidRequestError
from gateway.plugin.content import items_of
from gateway.plugin.pairing import CallIds, Output, pair_outputs, read_arguments
from gateway.types.content import Refusal
from gateway.types.items import (
    CustomToolCall,
    CustomToolCallOutput,
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    Message,
    Reasoning,
)
from gateway.types.request import Request
from gateway_chat.parts import Content, attachments, text_of, write_content, write_part
from gateway_chat.quirks import Quirks
from gateway_chat.thoughts import remember

__all__ = ["write_messages"]

ChatMessage = dict[str, Any]


def write_messages(request: Request, quirks: Quirks) -> list[ChatMessage]:
    """Return the messages of `request`.

    Raises `InvalidRequestError` if there are none, if an output has no call, a call no output or
    arguments that are no JSON, or for an item that Chat Completions has no place for.
    """
    writer = _Writer(quirks)
    if request.instructions:
        writer.add_system("system", request.instructions)
    writer.add_items(items_of(request))
    if not writer.messages:
        raise InvalidRequestError("there is nothing to answer: send text or items", param="input")
    return writer.messages


class _Turn:
    """What the assistant said between two items that are not its own."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.refusals: list[str] = []
        self.reasoning: list[Reasoning] = []
        self.calls: list[ChatMessage] = []
        self.outputs: list[tuple[ChatMessage, str, Output]] = []
        """Each with its call and the name of what was called."""


class _Writer:
    """Writes items in their order; the assistant's turn is written when it ends."""

    def __init__(self, quirks: Quirks) -> None:
        self.messages: list[ChatMessage] = []
        self._quirks = quirks
        self._turn = _Turn()
        self._ids = CallIds(quirks.tool_call_id_pattern)

    def add_items(self, items: Sequence[InputItem]) -> None:
        outputs = pair_outputs(items)
        for position, item in enumerate(items):
            match item:
                case Reasoning():
                    self._turn.reasoning.append(item)
                case Message(role="assistant"):
                    self._add_said(item.content)
                case FunctionCall() | CustomToolCall():
                    call = self._call(item, position)
                    self._turn.calls.append(call)
                    self._turn.outputs.append((call, item.name, outputs[position]))
                case _:
                    self._end_turn()
                    self._add_other(item)
        self._end_turn()

    def add_system(self, role: str, text: str) -> None:
        role = role if self._quirks.developer_role else "system"
        is_start = not self.messages or not self._quirks.single_system
        if is_start and self._quirks.system_role:
            self.messages.append({"role": role, "content": text})
        elif len(self.messages) == 1 and self.messages[0]["role"] == "system":
            self.messages[0]["content"] += f"\n\n{text}"
        else:
            self.add_user(f"<system>\n{text}\n</system>")

    def add_user(self, content: str | list[dict[str, Any]]) -> None:
        last = self.messages[-1] if self.messages else {}
        if last.get("role") == "tool" and not self._quirks.user_after_tool:
            self.messages.append({"role": "assistant", "content": "OK"})
        if last.get("role") == "user" and self._quirks.alternating:
            last["content"] = _joined(last["content"], content)
        else:
            self.messages.append({"role": "user", "content": content})

    def _add_other(self, item: InputItem) -> None:
        match item:
            case Message(role="user"):
                self.add_user(write_content(item.content, self._quirks))
            case Message():
                self.add_system(item.role, text_of(item.content))
            case FunctionCallOutput() | CustomToolCallOutput():
                pass  # written after its call
            case _:
                raise InvalidRequestError(
                    f"items of type {item.type!r} cannot be sent to this model", param="input"
                )

    def _add_said(self, content: Content) -> None:
        if isinstance(content, str) or not self._quirks.refusals:
            self._turn.texts.append(text_of(content, ""))
            return
        refusals = [part.refusal for part in content if isinstance(part, Refusal)]
        self._turn.refusals += refusals
        said = tuple(part for part in content if not isinstance(part, Refusal))
        self._turn.texts.append(text_of(said, ""))

    def _call(self, item: FunctionCall | CustomToolCall, position: int) -> ChatMessage:
        call = {"id": self._ids.take(item.call_id)}
        if isinstance(item, CustomToolCall):
            return {**call, "type": "custom", "custom": {"name": item.name, "input": item.input}}
        function = {"name": item.name, "arguments": read_arguments(item, position)}
        return {**call, "type": "function", "function": function}

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, _Turn()
        text = "\n\n".join(filter(None, turn.texts))
        if not (turn.texts or turn.refusals or turn.calls):
            return
        empty = None if self._quirks.null_content and (turn.calls or turn.refusals) else ""
        message: ChatMessage = {"role": "assistant", "content": text or empty}
        if turn.refusals:
            message["refusal"] = "\n\n".join(turn.refusals)
        if turn.calls:
            message["tool_calls"] = turn.calls
        remember(message, turn.reasoning, self._quirks)
        self.messages.append(message)
        self._add_outputs(turn)

    def _add_outputs(self, turn: _Turn) -> None:
        late: list[dict[str, Any]] = []
        for call, name, output in turn.outputs:
            content: Any = text_of(output.output)
            attached = [write_part(part, self._quirks) for part in attachments(output.output)]
            if attached and self._quirks.tool_images:
                content = [{"type": "text", "text": content}, *attached]
            elif attached:
                content = content or "The output is in the next message of the user."
                late += [{"type": "text", "text": f"Output of {name}:"}, *attached]
            self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
        if late:
            self.add_user(late)


def _joined(
    first: str | list[dict[str, Any]], second: str | list[dict[str, Any]]
) -> str | list[dict[str, Any]]:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
