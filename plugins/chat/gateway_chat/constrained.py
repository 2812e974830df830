"""Function tools for a model that knows none, by a server that keeps to a JSON schema.

The functions are described in the system text, and the schema of `response_format` leaves the model
two things to say: `{"name": ..., "arguments": {...}}`, a call that is valid by construction, or
`{"message": ...}`, an answer. The translator turns either back into deltas; the text of a message
streams as it comes. Calls and outputs in the history become plain talk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from gateway.plugin import Delta, Finished, Frame, Logprobs, Text, ToolCall, Translator
from gateway.types.content import InputText
from gateway.types.items import FunctionCall, FunctionCallOutput, InputItem, Message
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat, TextConfig
from gateway.types.request import Request
from gateway.types.tools import AllowedToolsChoice, FunctionTool
from gateway_chat.pairing import pair_outputs
from gateway_chat.parts import attachments, text_of
from gateway_chat.tools import NO_PARAMETERS, choosable

__all__ = ["ConstrainedTranslator", "constrain", "is_constrained"]


def is_constrained(request: Request) -> bool:
    """Say whether the answer to `request` is held to the schema of calls."""
    return request.tool_choice != "none" and bool(choosable(request))


def constrain(request: Request) -> Request:
    """Return a request without tools that asks for the same."""
    items = request.input
    if items is not None and not isinstance(items, str):
        items = tuple(_plain_items(items, held=is_constrained(request)))
    request = msgspec.structs.replace(request, input=items)
    if is_constrained(request):
        texts = (request.instructions, _describe(request))
        answer = JsonSchemaFormat(name="answer", schema=_schema(request), strict=True)
        request = msgspec.structs.replace(
            request,
            instructions="\n\n".join(filter(None, texts)),
            text=TextConfig(format=answer),
        )
    return msgspec.structs.replace(request, tools=None, tool_choice=None, parallel_tool_calls=None)


def _plain_items(items: tuple[InputItem, ...], *, held: bool) -> Iterator[InputItem]:
    """Yield `items` with calls and outputs told as talk.

    A small model repeats what it said last. So no call stands there for it to repeat, and what the
    assistant said has the form of an answer, if the model is `held` to that form.
    """
    calls = {
        id(output): cast("FunctionCall", items[position])
        for position, output in pair_outputs(items).items()
    }
    for item in items:
        match item:
            case Message(role="assistant"):
                yield _said(text_of(item.content), held=held)
            case FunctionCall():
                yield _said("Let me look.", held=held)
            case FunctionCallOutput():
                yield _told(calls[id(item)], item)
            case _:
                yield item


def _said(text: str, *, held: bool) -> Message:
    return Message(role="assistant", content=_json({"message": text}) if held else text)


def _told(call: FunctionCall, output: FunctionCallOutput) -> Message:
    text = f"The result of {call.name}{_in_words(call.arguments)} is: {text_of(output.output)}"
    parts = (InputText(text=text), *attachments(output.output))
    return Message(role="user", content=(*parts, InputText(text="What is your answer?")))


def _in_words(arguments: str) -> str:
    """Return the values of `arguments`, which tell apart the calls of one function."""
    try:
        values = msgspec.json.decode(arguments or "{}", type=dict[str, Any]).values()
    except msgspec.DecodeError:
        return ""
    return " for " + ", ".join(map(str, values)) if values else ""


def _describe(request: Request) -> str:
    functions = "\n".join(map(_describe_function, choosable(request)))
    text = (
        f"You can call these functions:\n{functions}\n\n"
        'To call one, answer {"name": <its name>, "arguments": {<its parameters>}}.'
    )
    return (
        f'{text} To answer the user, say {{"message": <answer>}}.' if _may_answer(request) else text
    )


def _describe_function(tool: FunctionTool) -> str:
    description = f": {tool.description}" if tool.description else ""
    return f"- {tool.name}{description} Parameters: {_json(tool.parameters or NO_PARAMETERS)}"


def _may_answer(request: Request) -> bool:
    match request.tool_choice:
        case None | "auto" | AllowedToolsChoice(mode="auto"):
            return True
        case _:
            return False


def _schema(request: Request) -> dict[str, Any]:
    """Return the schema of what the model may say; each parameter schema is a definition of it."""
    definitions: dict[str, Any] = {}
    options: list[dict[str, Any]] = []
    for position, tool in enumerate(choosable(request)):
        definition = f"function_{position}"
        definitions[definition] = _moved(tool.parameters or NO_PARAMETERS, definition)
        arguments = {"$ref": f"#/$defs/{definition}"}
        options.append(_object({"name": {"const": tool.name}, "arguments": arguments}))
    if _may_answer(request):
        definitions["message"] = _moved(_message_schema(request), "message")
        options.append(_object({"message": {"$ref": "#/$defs/message"}}))
    return {"anyOf": options, "$defs": definitions}


def _message_schema(request: Request) -> dict[str, Any]:
    match request.text and request.text.format:
        case JsonSchemaFormat(schema=schema):
            return schema
        case JsonObjectFormat():
            return {"type": "object"}
        case _:
            return {"type": "string"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _moved(schema: Any, definition: str) -> Any:
    """Return `schema` with its references to itself as they must be inside of `$defs`."""
    if isinstance(schema, list):
        return [_moved(element, definition) for element in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    members = cast("dict[str, Any]", schema)
    moved = {name: _moved(member, definition) for name, member in members.items()}
    match moved.get("$ref"):
        case str() as reference if reference.startswith("#"):
            moved["$ref"] = f"#/$defs/{definition}{reference[1:]}"
        case _:
            pass
    return moved


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class ConstrainedTranslator:
    """Turns the JSON text that `inner` reads into calls and messages."""

    def __init__(self, inner: Translator) -> None:
        self._inner = inner
        self._reader = AnswerReader()

    def feed(self, frame: Frame, /) -> list[Delta]:
        deltas: list[Delta] = []
        for delta in self._inner.feed(frame):
            match delta:
                case Text():
                    deltas += self._reader.feed(delta.text)
                case Logprobs():
                    pass  # of JSON that nobody sees
                case Finished():
                    deltas += [*self._reader.close(), delta]
                case _:
                    deltas.append(delta)
        return deltas


class _Answer(Struct, frozen=True, kw_only=True):
    name: str = ""
    arguments: Raw = Raw(b"{}")
    message: Raw = Raw()


_decode_answer = msgspec.json.Decoder(_Answer).decode

_MESSAGE = re.compile(r'\s*\{\s*"message"\s*:\s*"')
_CUT_CALL = re.compile(r'\s*\{\s*"name"\s*:\s*"([^"\\]*)"\s*,\s*"arguments"\s*:\s*')
_WHOLE_CHARACTERS = re.compile(
    r'(?:[^"\\\x00-\x1f]+|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*"
)


class AnswerReader:
    """Reads `{"message": ...}` while it comes, and `{"name": ..., "arguments": ...}` at its end."""

    def __init__(self) -> None:
        self._held = ""
        self._in_message = False

    def feed(self, text: str) -> list[Delta]:
        self._held += text
        if not self._in_message and (opening := _MESSAGE.match(self._held)):
            self._in_message = True
            self._held = self._held[opening.end() :]
        return self._read_message() if self._in_message else []

    def close(self) -> list[Delta]:
        """Return what the whole text says, or what was cut says so far."""
        held, self._held = self._held, ""
        if self._in_message or not held.strip():
            return []
        try:
            answer = _decode_answer(held.encode())
        except msgspec.DecodeError:
            return _read_cut(held)
        if answer.name:
            return [ToolCall(0, None, answer.name, bytes(answer.arguments).decode())]
        return [Text(bytes(answer.message).decode() or held)]

    def _read_message(self) -> list[Delta]:
        """Decode the characters of the string that are there in full, up to its closing quote."""
        match = _WHOLE_CHARACTERS.match(self._held)
        characters = match[0] if match else ""
        if not characters:
            return []
        self._held = self._held[len(characters) :]
        return [Text(msgspec.json.decode(f'"{characters}"', type=str))]


def _read_cut(held: str) -> list[Delta]:
    """Read an answer that ended early, or one by a server that did not keep to the schema."""
    if call := _CUT_CALL.match(held):
        return [ToolCall(0, None, call[1], held[call.end() :])]
    return [] if held.lstrip().startswith("{") else [Text(held)]
