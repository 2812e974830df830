"""Judges a request by the table in support.py and by the quirks of the server that it goes to."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.plugin import Verdict
from gateway.types.items import FunctionCall, FunctionCallOutput, InputItem, Message
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat
from gateway.types.request import Request
from gateway.types.tools import AllowedToolsChoice, FunctionChoice, FunctionTool
from gateway_chat.parts import Content, attachments, problem
from gateway_chat.quirks import Quirks
from gateway_chat.support import (
    INCLUDES,
    ITEMS,
    LOGPROBS,
    PARAMETERS,
    TOOLS,
    UNKNOWN_INCLUDE,
    UNKNOWN_ITEM,
    UNKNOWN_TOOL,
    Support,
)
from gateway_chat.tools import choosable

__all__ = ["check"]

_HINTS_OF_TOOLS = ("defer_loading", "allowed_callers", "output_schema", "async_")


def check(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of `request` a server with `quirks` cannot honour."""
    for name, support in PARAMETERS.items():
        value = getattr(request, name)
        if value is not None and value not in support.harmless and name not in quirks.passes:
            yield from _judge(support, name)
    if not isinstance(request.input, str):
        for position, item in enumerate(request.input or ()):
            yield from _check_item(item, f"input[{position}]", quirks)
    yield from _check_tools(request, quirks)
    yield from _check_choice(request, quirks)
    yield from _check_text(request, quirks)
    yield from _check_reasoning(request, quirks)
    yield from _check_include(request, quirks)


def _judge(support: Support, param: str) -> Iterator[Verdict]:
    if support.action:
        yield Verdict(action=support.action, param=param, reason=support.reason)


def _reject(param: str, reason: str) -> Verdict:
    return Verdict(action="reject", param=param, reason=reason)


def _drop(param: str, reason: str) -> Verdict:
    return Verdict(action="drop", param=param, reason=reason)


def _check_item(item: InputItem, path: str, quirks: Quirks) -> Iterator[Verdict]:
    match item:
        case Message(role="user"):
            yield from _check_content(item.content, f"{path}.content", quirks)
        case Message():
            if not isinstance(item.content, str) and attachments(item.content):
                yield _reject(f"{path}.content", f"the role {item.role} can only hold text")
        case FunctionCallOutput():
            yield from _check_content(item.output, f"{path}.output", quirks)
        case FunctionCall() if item.namespace:
            yield _reject(f"{path}.namespace", "the upstream knows no namespaces")
        case _:
            yield from _judge(ITEMS.get(item.type, UNKNOWN_ITEM), f"{path}.type")


def _check_content(content: Content, path: str, quirks: Quirks) -> Iterator[Verdict]:
    if not isinstance(content, str):
        for position, part in enumerate(content):
            if reason := problem(part, quirks):
                yield _reject(f"{path}[{position}]", reason)


def _check_tools(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    for position, tool in enumerate(request.tools or ()):
        path = f"tools[{position}]"
        if not isinstance(tool, FunctionTool):
            yield from _judge(TOOLS.get(tool.type, UNKNOWN_TOOL), f"{path}.type")
        elif quirks.tools == "none":
            yield _reject(path, "the upstream knows no tools")
        else:
            yield from _check_function(tool, path, quirks)
    one_at_a_time = request.tools and request.parallel_tool_calls is False
    if one_at_a_time and quirks.tools == "native" and not quirks.parallel_tool_calls:
        yield _drop("parallel_tool_calls", "the upstream has no such parameter")


def _check_function(tool: FunctionTool, path: str, quirks: Quirks) -> Iterator[Verdict]:
    for name in _HINTS_OF_TOOLS:
        if getattr(tool, name):
            yield _drop(f"{path}.{name.rstrip('_')}", "chat completions has no such hint")
    if tool.strict and quirks.tools == "native" and not quirks.strict_tools:
        yield _drop(f"{path}.strict", "the upstream does not promise to keep to the schema")


def _check_choice(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    match request.tool_choice:
        case None | "none" | "auto":
            return
        case "required" | FunctionChoice() | AllowedToolsChoice():
            pass
        case choice:
            yield _reject("tool_choice.type", f"the upstream knows no choice of {choice.type!r}")
            return
    if not choosable(request):
        yield _reject("tool_choice", "no function in `tools` is one that it allows")
    elif quirks.tools == "native" and not _can_choose(request, quirks):
        yield _reject("tool_choice", "the upstream cannot be made to call a tool")


def _can_choose(request: Request, quirks: Quirks) -> bool:
    match request.tool_choice:
        case AllowedToolsChoice(mode="auto"):
            return True
        case FunctionChoice():
            return bool(quirks.tool_choice)
        case _:
            return "required" in quirks.tool_choice or "any" in quirks.tool_choice


def _check_text(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    if request.text is None:
        return
    if request.text.verbosity and "verbosity" not in quirks.passes:
        yield _drop("text.verbosity", "the upstream has no such hint")
    match request.text.format:
        case JsonSchemaFormat():
            possible = quirks.response_format == "json_schema"
        case JsonObjectFormat():
            possible = quirks.response_format != "text"
        case wanted:
            possible = wanted is None or wanted.type == "text"
    if not possible:
        yield _reject("text.format.type", "the upstream cannot be held to such a format")


def _check_reasoning(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    wanted = request.reasoning
    if wanted is None:
        return
    if wanted.effort and quirks.effort == "none":
        yield _drop("reasoning.effort", "the upstream decides itself how hard it thinks")
    for name in ("summary", "generate_summary", "context", "mode"):
        if getattr(wanted, name):
            yield _drop(f"reasoning.{name}", "the upstream has no such hint")


def _check_include(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    for position, name in enumerate(request.include or ()):
        yield from _judge(INCLUDES.get(name, UNKNOWN_INCLUDE), f"include[{position}]")
    if quirks.logprobs:
        return
    if request.top_logprobs:
        yield _reject("top_logprobs", "the upstream gives no log probabilities")
    if LOGPROBS in (request.include or ()):
        yield _reject("include", "the upstream gives no log probabilities")
