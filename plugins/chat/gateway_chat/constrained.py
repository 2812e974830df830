"""Function tools for a model that knows none, by a server that keeps to a JSON schema.

The functions are described in the system text, and the schema of `response_format` leaves the model
three things to say: `{"name": ..., "arguments": {...}}`, a call that is valid by construction, a
list of calls, or `{"message": ...}`, an answer, which constrained_answer.py reads. Calls and
outputs in the history become plain talk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, cast

import msgspec

from gateway.plugin.content import items_of
from gateway.plugin.pairing import pair_outputs
from gateway.types.content import ContentPart, InputText
from gateway.types.items import FunctionCall, FunctionCallOutput, InputItem, Message
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat, TextConfig
from gateway.types.request import Request
from gateway.types.tools import FunctionTool
from gateway_chat.parts import attachments, text_of
from gateway_chat.tools import NO_PARAMETERS, choosable, is_forced

__all__ = ["constrain", "is_constrained"]

MOST_CALLS = 8  # in one answer


def is_constrained(request: Request) -> bool:
    """Say whether the answer to `request` is held to the schema of calls."""
    return request.tool_choice != "none" and bool(choosable(request))


def constrain(request: Request) -> Request:
    """Return a request without tools that asks for the same."""
    items = tuple(_plain_items(items_of(request), held=is_constrained(request)))
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
    """Yield `items` with calls and outputs told as talk, in one message if they belong together.

    A small model repeats what it said last. So a call is told in words, and what the assistant said
    has the form of an answer, if the model is `held` to that form.
    """
    calls = {
        id(output): cast("FunctionCall", items[position])
        for position, output in pair_outputs(items).items()
    }
    for kind, group in groupby(items, type):
        if kind is FunctionCall:
            names = ", ".join(call.name for call in cast("Iterable[FunctionCall]", group))
            yield Message(role="assistant", content=f"Calling {names}.")
        elif kind is FunctionCallOutput:
            outputs = cast("Iterable[FunctionCallOutput]", group)
            parts = [part for output in outputs for part in _tell(calls[id(output)], output)]
            parts.append(InputText(text="Tell me the answer."))
            yield Message(role="user", content=tuple(parts))
        else:
            yield from (_said(item) if held else item for item in group)


def _said(item: InputItem) -> InputItem:
    match item:
        case Message(role="assistant"):
            content = _json({"message": text_of(item.content)})
            return Message(role="assistant", content=content)
        case _:
            return item


def _tell(call: FunctionCall, output: FunctionCallOutput) -> Iterator[ContentPart]:
    text = f"The result of {call.name}{_in_words(call.arguments)} is: {text_of(output.output)}"
    yield InputText(text=text)
    yield from attachments(output.output)


def _in_words(arguments: str) -> str:
    """Return the values of `arguments`, which tell apart the calls of one function."""
    try:
        values = msgspec.json.decode(arguments or "{}", type=dict[str, Any]).values()
    except msgspec.DecodeError:
        return ""
    return " for " + ", ".join(map(str, values)) if values else ""


def _describe(request: Request) -> str:
    functions = "\n".join(map(_describe_function, choosable(request)))
    call = '{"name": <its name>, "arguments": {<its parameters>}}'
    match request.parallel_tool_calls:
        case True:
            advice = f"To call them, answer with a list of calls, [{call}, ...]."
        case False:
            advice = f"To call one, answer {call}."
        case None:
            advice = f"To call one, answer {call}. To call several, answer [{call}, {call}]."
    if not is_forced(request):
        advice += ' To answer the user, say {"message": <answer>}.'
    return f"You can call these functions:\n{functions}\n\n{advice}"


def _describe_function(tool: FunctionTool) -> str:
    description = f": {tool.description}" if tool.description else ""
    return f"- {tool.name}{description} Parameters: {_json(tool.parameters or NO_PARAMETERS)}"


def _schema(request: Request) -> dict[str, Any]:
    """Return the schema of what the model may say; each parameter schema is a definition of it."""
    definitions: dict[str, Any] = {}
    calls: list[dict[str, Any]] = []
    for position, tool in enumerate(choosable(request)):
        definition = f"function_{position}"
        definitions[definition] = _moved(tool.parameters or NO_PARAMETERS, definition)
        arguments = {"$ref": f"#/$defs/{definition}"}
        calls.append(_object({"name": {"const": tool.name}, "arguments": arguments}))
    options = _forms(calls, parallel=request.parallel_tool_calls)
    if not is_forced(request):
        definitions["message"] = _moved(_message_schema(request), "message")
        options.append(_object({"message": {"$ref": "#/$defs/message"}}))
    return {"anyOf": options, "$defs": definitions}


def _forms(calls: list[dict[str, Any]], *, parallel: bool | None) -> list[dict[str, Any]]:
    """Return the forms that `calls` may have.

    A small model does not know when to end a list, nor does it choose one by itself. So it must
    answer with a list only where the client says that it wants several calls.
    """
    some = {"type": "array", "items": {"anyOf": calls}, "maxItems": MOST_CALLS}
    match parallel:
        case True:
            return [some | {"minItems": 1}]
        case False:
            return calls
        case None:
            return [*calls, some | {"minItems": 2}]


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
