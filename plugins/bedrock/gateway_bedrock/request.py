"""A Responses request, written as the body of Converse."""

from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from gateway.errors import InvalidRequestError
from gateway.plugin import Call
from gateway.types.parameters import JsonSchemaFormat
from gateway.types.request import Request
from gateway.types.tools import AllowedToolsChoice, FunctionChoice, FunctionTool
from gateway_bedrock.hosted import SYSTEM_TOOLS, Json
from gateway_bedrock.messages import Conversation
from gateway_bedrock.quirks import Quirks, read_quirks, write_effort

__all__ = ["write_body", "write_count"]

_POINT: Json = {"cachePoint": {"type": "default"}}
_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")
_encode = msgspec.json.Encoder().encode


def write_body(call: Call) -> bytes:
    """Return the body that asks for the answer to `call`.

    Raises `InvalidRequestError` for a request that no model could take.
    """
    try:
        return _encode(_body(call))
    except RecursionError as error:
        raise InvalidRequestError("the request is nested too deeply") from error


def write_count(call: Call) -> bytes:
    """Return the body that asks how many tokens the input of `call` has."""
    body = _body(call)
    return _encode({"input": {"converse": {name: body[name] for name in _COUNTED if name in body}}})


def _body(call: Call) -> Json:
    request, quirks = call.request, read_quirks(call.deployment)
    said = Conversation(request, quirks)
    fields, output = write_effort(request, quirks)
    tools, choice_fields = _tools(request, quirks, said.called)
    samplers = {"maxTokens": request.max_output_tokens, "topP": request.top_p}
    samplers |= {"temperature": request.temperature}
    tier = request.service_tier if request.service_tier != "auto" else None
    body: Json = {
        "messages": said.messages,
        "system": [*said.system, *_points("system", quirks)] if said.system else [],
        "inferenceConfig": {name: one for name, one in samplers.items() if one is not None},
        "toolConfig": tools,
        "outputConfig": output | _text_format(request),
        "additionalModelRequestFields": fields | choice_fields,
        "serviceTier": {"type": tier} if tier else None,
        "guardrailConfig": quirks.guardrail,
    }
    body = {name: member for name, member in body.items() if member}
    for name, extra in quirks.extra_body.items():
        both = isinstance(extra, Mapping) and name in body
        body[name] = {**body[name], **cast("Json", extra)} if both else extra
    return body


def _text_format(request: Request) -> Json:
    match request.text and request.text.format:
        case JsonSchemaFormat(name=name, schema=schema, description=description):
            wanted = {"schema": _encode(schema).decode(), "name": name}
            wanted |= {"description": description} if description else {}
            return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": wanted}}}
        case _:
            return {}


def _tools(request: Request, quirks: Quirks, called: list[str]) -> tuple[Json, Json]:
    """Return `toolConfig`, and the model's own fields that say what cannot be said there."""
    offered = [*_offered(request)]
    choice = _choice(request)
    if not offered and choice.keys() - {"auto"}:
        raise InvalidRequestError("no tool is one that tool_choice allows", param="tool_choice")
    if not offered:  # tools in the history must be among those that are offered
        offered = [_tool(FunctionTool(name=name)) for name in dict.fromkeys(called)]
    if not offered:
        return {}, {}
    config: Json = {"tools": [*offered, *_points("tools", quirks)]}
    if request.parallel_tool_calls is False and quirks.one_call:
        [(kind, chosen)] = (choice or {"auto": {}}).items()
        return config, {"tool_choice": {"type": kind, **chosen, "disable_parallel_tool_use": True}}
    return config | ({"toolChoice": choice} if choice else {}), {}


def _offered(request: Request) -> Iterator[Json]:
    """Yield the tools that `tool_choice` leaves to the model."""
    if request.tool_choice == "none":
        return
    allowed = request.tool_choice
    names = (
        {str(tool.get("name") or tool.get("type")) for tool in allowed.tools}
        if isinstance(allowed, AllowedToolsChoice)
        else None
    )
    for tool in request.tools or ():
        name = tool.name if isinstance(tool, FunctionTool) else tool.type
        if names is not None and name not in names:
            continue
        if isinstance(tool, FunctionTool):
            yield _tool(tool)
        else:
            yield {"systemTool": {"name": SYSTEM_TOOLS[tool.type]}}


def _tool(tool: FunctionTool) -> Json:
    schema: Json = {"type": "object", "properties": {}, **(tool.parameters or {})}
    about = {"description": tool.description} if tool.description else {}
    strict = {"strict": True} if tool.strict else {}
    return {"toolSpec": {"name": tool.name, **about, "inputSchema": {"json": schema}, **strict}}


def _choice(request: Request) -> Json:
    match request.tool_choice:
        case "auto" | AllowedToolsChoice(mode="auto"):
            return {"auto": {}}
        case "required" | AllowedToolsChoice(mode="required"):
            return {"any": {}}
        case FunctionChoice(name=name):
            return {"tool": {"name": name}}
        case _:
            return {}


def _points(place: str, quirks: Quirks) -> list[Json]:
    return [_POINT] if place in quirks.cache_points else []
