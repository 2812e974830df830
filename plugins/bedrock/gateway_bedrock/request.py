"""A Responses request, written as the body of Converse."""

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.plugin import Call
from gateway.plugin.bodies import refusing_depth
from gateway.plugin.choice import offered_tools
from gateway.plugin.names import safe_name
from gateway.types.parameters import JsonSchemaFormat
from gateway.types.request import Request
from gateway.types.tools import AllowedToolsChoice, FunctionChoice, FunctionTool, Tool
from gateway_bedrock.answer import SYSTEM_TOOLS, Json
from gateway_bedrock.messages import Conversation
from gateway_bedrock.quirks import quirks_of, write_effort

__all__ = ["write_body", "write_count"]

_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")
_CHOICES: dict[str, Json] = {"auto": {"auto": {}}, "required": {"any": {}}}
_encode = msgspec.json.Encoder().encode


@refusing_depth()
def write_body(call: Call) -> bytes:
    """Return the body that asks for the answer to `call`. Raises `InvalidRequestError`."""
    return _encode(_body(call))


@refusing_depth()
def write_count(call: Call) -> bytes:
    """Return the body that asks how many tokens the input of `call` has."""
    asked = {name: member for name, member in _body(call).items() if name in _COUNTED}
    return _encode({"input": {"converse": asked}})


def _body(call: Call) -> Json:
    request, quirks = call.request, quirks_of(call.deployment)
    said = Conversation(request, quirks)
    fields, output = write_effort(request, quirks)
    tools = _tools(request, said.called)
    if tools and request.parallel_tool_calls is False and quirks.one_call:
        [(kind, chosen)] = tools.pop("toolChoice", {"auto": {}}).items()
        fields["tool_choice"] = {"type": kind, **chosen, "disable_parallel_tool_use": True}
    if request.text and isinstance(form := request.text.format, JsonSchemaFormat):
        about = {"name": form.name, "description": form.description or None}
        structure = {"jsonSchema": _given(schema=_encode(form.schema).decode(), **about)}
        output["textFormat"] = {"type": "json_schema", "structure": structure}
    tier = request.service_tier if request.service_tier != "auto" else None
    limits = {"maxTokens": request.max_output_tokens, "temperature": request.temperature}
    body: Json = {
        "messages": said.messages,
        "system": said.system,
        "inferenceConfig": _given(**limits, topP=request.top_p),
        "toolConfig": tools,
        "outputConfig": output,
        "additionalModelRequestFields": fields,
        "serviceTier": _given(type=tier),
        "guardrailConfig": quirks.guardrail,
    }
    return {name: member for name, member in body.items() if member} | {**quirks.extra_body}


def _given(**members: Any) -> Json:
    return {name: member for name, member in members.items() if member is not None}


def _tools(request: Request, called: Iterable[str]) -> Json:
    """Return `toolConfig`; the tools `called` in the history must stand in it in any case."""
    tools = () if request.tool_choice == "none" else offered_tools(request)
    stand_ins = [FunctionTool(name=name) for name in dict.fromkeys(called)]
    written = [_tool(tool) for tool in tools or stand_ins]
    choice = request.tool_choice
    mode = choice.mode if isinstance(choice, AllowedToolsChoice) else choice
    said = _CHOICES.get(str(mode))
    if isinstance(choice, FunctionChoice):
        said = {"tool": {"name": safe_name(choice.name)}}
    return _given(tools=written, toolChoice=said) if written else {}


def _tool(tool: Tool) -> Json:
    if not isinstance(tool, FunctionTool):
        return {"systemTool": {"name": SYSTEM_TOOLS[tool.type]}}
    schema: Json = {"type": "object", "properties": {}, **(tool.parameters or {})}
    about = _given(description=tool.description or None, strict=tool.strict or None)
    return {"toolSpec": {"name": safe_name(tool.name), **about, "inputSchema": {"json": schema}}}
