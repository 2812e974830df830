"""A request's instructions and items, written as the messages of a chat.

Chat Completions wants one assistant message per turn, with all its tool calls, and every tool's
result right after it. So the assistant's items between two others are gathered into a `_Turn`, and
the outputs of its calls follow it, wherever they stand in the input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.errors import InvalidRequestError
from gateway.types.items import FunctionCall, FunctionCallOutput, InputItem, Message, Reasoning
from gateway.types.request import Request
from gateway_chat.parts import attachments, text_of, write_content, write_part
from gateway_chat.quirks import Quirks
from gateway_chat.reasoning import read_carrier

__all__ = ["pair_outputs", "write_messages"]

ChatMessage = dict[str, Any]


def write_messages(request: Request, quirks: Quirks) -> list[ChatMessage]:
    """Return the messages of `request`.

    Raises `InvalidRequestError` if an output has no call, a call no output, or for an item that
    Chat Completions has no place for.
    """
    writer = _Writer(quirks)
    if request.instructions:
        writer.add_system("system", request.instructions)
    if isinstance(request.input, str):
        writer.messages.append({"role": "user", "content": request.input})
    else:
        writer.add_items(request.input or ())
    return writer.messages


class _Turn:
    """What the assistant said between two items that are not its own."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.reasoning: list[Reasoning] = []
        self.calls: list[tuple[FunctionCall, FunctionCallOutput]] = []


class _Writer:
    """Writes items in their order; the assistant's turn is written when it ends."""

    def __init__(self, quirks: Quirks) -> None:
        self.messages: list[ChatMessage] = []
        self._quirks = quirks
        self._turn = _Turn()

    def add_items(self, items: Sequence[InputItem]) -> None:
        outputs = pair_outputs(items)
        for position, item in enumerate(items):
            match item:
                case Reasoning():
                    self._turn.reasoning.append(item)
                case Message(role="assistant"):
                    self._turn.texts.append(text_of(item.content))
                case FunctionCall():
                    self._turn.calls.append((item, outputs[position]))
                case _:
                    self._end_turn()
                    self._add_other(item)
        self._end_turn()

    def add_system(self, role: str, text: str) -> None:
        role = role if self._quirks.developer_role else "system"
        if not self._quirks.single_system or not self.messages:
            self.messages.append({"role": role, "content": text})
        elif len(self.messages) == 1 and self.messages[0]["role"] == "system":
            self.messages[0]["content"] += f"\n\n{text}"
        else:
            self.messages.append({"role": "user", "content": f"<system>\n{text}\n</system>"})

    def _add_other(self, item: InputItem) -> None:
        match item:
            case Message(role="user"):
                content = write_content(item.content, self._quirks)
                self.messages.append({"role": "user", "content": content})
            case Message():
                self.add_system(item.role, text_of(item.content))
            case FunctionCallOutput():
                pass  # written after its call
            case _:
                raise InvalidRequestError(
                    f"items of type {item.type!r} cannot be sent to this model", param="input"
                )

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, _Turn()
        if turn.texts or turn.calls:
            self.messages.append(_assistant(turn, self._quirks))
            self._add_outputs(turn)

    def _add_outputs(self, turn: _Turn) -> None:
        late: list[dict[str, Any]] = []
        for call, output in turn.calls:
            content: Any = text_of(output.output)
            attached = [write_part(part) for part in attachments(output.output)]
            if attached and self._quirks.tool_images:
                content = [{"type": "text", "text": content}, *attached]
            elif attached:
                content = content or "The output is in the next message of the user."
                late += [{"type": "text", "text": f"Output of {call.name}:"}, *attached]
            call_id = _call_id(call.call_id, self._quirks)
            self.messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
        if late:
            self.messages.append({"role": "user", "content": late})


def pair_outputs(items: Sequence[InputItem]) -> Mapping[int, FunctionCallOutput]:
    """Return the output of each call by the call's position; the words of errors are OpenAI's."""
    waiting: dict[str, list[int]] = {}
    outputs: dict[int, FunctionCallOutput] = {}
    for position, item in enumerate(items):
        if isinstance(item, FunctionCall):
            waiting.setdefault(item.call_id, []).append(position)
        elif isinstance(item, FunctionCallOutput):
            if not (positions := waiting.get(item.call_id or "")):
                raise InvalidRequestError(
                    f"no tool call found for function call output with call_id {item.call_id!r}",
                    param=f"input[{position}].call_id",
                )
            outputs[positions.pop(0)] = item
    if missing := [call_id for call_id, positions in waiting.items() if positions]:
        raise InvalidRequestError(
            f"no tool output found for function call {missing[0]!r}", param="input"
        )
    return outputs


def _assistant(turn: _Turn, quirks: Quirks) -> ChatMessage:
    text = "\n\n".join(turn.texts)
    message: ChatMessage = {"role": "assistant", "content": text}
    if turn.calls:
        message["content"] = text or (None if quirks.null_content else "")
        message["tool_calls"] = [_call(call, quirks) for call, _ in turn.calls]
        _add_reasoning(message, turn.reasoning, quirks)
    return message


def _call(call: FunctionCall, quirks: Quirks) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": _call_id(call.call_id, quirks), "type": "function", "function": function}


def _call_id(call_id: str, quirks: Quirks) -> str:
    length = quirks.tool_call_id_length
    if not length or (len(call_id) == length and call_id.isascii() and call_id.isalnum()):
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:length]


def _add_reasoning(message: ChatMessage, items: list[Reasoning], quirks: Quirks) -> None:
    """Send the reasoning back with the calls that it led to; vendors want it nowhere else."""
    text = "\n".join(map(_reasoning_text, items))
    match quirks.reasoning_out:
        case "reasoning_content" | "reasoning" as field:
            if text or quirks.reasoning_required:
                message[field] = text
        case "details":
            details = [
                detail
                for item in items
                for detail in read_carrier(item.encrypted_content or None).details
            ]
            if details:
                message["reasoning_details"] = details
        case "thinking":
            if text:
                message["content"] = _thinking(text, message["content"])
        case "none":
            pass


def _reasoning_text(item: Reasoning) -> str:
    return "".join(part.text for part in item.content or item.summary)


def _thinking(text: str, content: str | None) -> list[dict[str, Any]]:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
    return [thinking, {"type": "text", "text": content}] if content else [thinking]
