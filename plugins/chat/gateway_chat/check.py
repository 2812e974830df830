"""Judges a request by the table in support.py and by the quirks of the server that it goes to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.plugin import Verdict
from gateway.plugin.content import items_of
from gateway.plugin.support import dropped, rejected, tools_of
from gateway.types.content import ContentPart, InputFile, InputImage
from gateway.types.items import CustomToolCallOutput, FunctionCallOutput, InputItem, Message
from gateway.types.parameters import JsonObjectFormat, JsonSchemaFormat
from gateway.types.request import Request
from gateway.types.tools import (
    AllowedToolsChoice,
    CustomChoice,
    CustomTool,
    FunctionChoice,
    FunctionTool,
    NamespaceTool,
)
from gateway_chat.effort import stops_thinking
from gateway_chat.parts import Content, attachments, problem
from gateway_chat.quirks import Quirks
from gateway_chat.request import LOGPROBS
from gateway_chat.support import table_for
from gateway_chat.web_search import check_web_search

__all__ = ["check"]

_DETAILS = ("auto", "low", "high")


def check(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of `request` a server with `quirks` cannot honour."""
    yield from table_for(quirks).judge(request, honoured=_honoured(quirks))
    for name in quirks.drops:
        if getattr(request, name, None) is not None:
            yield dropped(name, "the upstream refuses it")
    for position, item in enumerate(items_of(request)):
        yield from _check_item(item, f"input[{position}]", quirks)
    if quirks.tools != "none":
        yield from _check_tools(request, quirks)
    if not _can_choose(request, quirks):
        yield rejected("tool_choice", "the upstream cannot be made to call a tool")
    yield from check_web_search(request, quirks)
    yield from _check_text(request, quirks)
    yield from _check_reasoning(request, quirks)
    yield from _check_logprobs(request, quirks)


def _honoured(quirks: Quirks) -> tuple[str, ...]:
    return (*quirks.passes, "text.verbosity") if "verbosity" in quirks.passes else quirks.passes


def _check_item(item: InputItem, path: str, quirks: Quirks) -> Iterator[Verdict]:
    match item:
        case Message(role="user"):
            yield from _check_content(item.content, f"{path}.content", quirks)
        case Message(content=tuple() as content, role=role):
            refused = attachments(content)
            for position, part in enumerate(content):
                if part in refused:
                    reason = f"the role {role} can only hold text"
                    yield rejected(f"{path}.content[{position}].type", reason)
        case FunctionCallOutput() | CustomToolCallOutput():
            yield from _check_content(item.output, f"{path}.output", quirks)
        case _:
            pass


def _check_content(content: Content, path: str, quirks: Quirks) -> Iterator[Verdict]:
    if isinstance(content, str):
        return
    for position, part in enumerate(content):
        if reason := problem(part, quirks):
            yield rejected(f"{path}[{position}].type", reason)
        elif not _knows_detail(part):
            yield dropped(f"{path}[{position}].detail")
        if getattr(part, "prompt_cache_breakpoint", None):
            yield dropped(f"{path}[{position}].prompt_cache_breakpoint")


def _knows_detail(part: ContentPart) -> bool:
    match part:
        case InputFile(detail=str()):
            return False
        case InputImage(detail=str(detail)):
            return detail in _DETAILS
        case _:
            return True


def _check_tools(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    number = 0
    for tool, path in tools_of(request):
        if isinstance(tool, NamespaceTool):
            continue
        number += 1
        if quirks.max_tools and number > quirks.max_tools:
            yield rejected(f"{path}.type", f"the upstream takes {quirks.max_tools} tools at most")
        if isinstance(tool, FunctionTool | CustomTool):
            yield from _check_tool(tool, path, quirks)
    one_at_a_time = request.tools and request.parallel_tool_calls is False
    if one_at_a_time and quirks.tools == "native" and not quirks.parallel_tool_calls:
        yield dropped("parallel_tool_calls", "the upstream has no such parameter")


def _check_tool(tool: FunctionTool | CustomTool, path: str, quirks: Quirks) -> Iterator[Verdict]:
    if quirks.tool_name_pattern and not re.fullmatch(quirks.tool_name_pattern, tool.name):
        yield rejected(f"{path}.name", f"a name must match {quirks.tool_name_pattern}")
    is_strict = isinstance(tool, FunctionTool) and tool.strict
    if is_strict and quirks.tools == "native" and not quirks.strict_tools:
        yield dropped(f"{path}.strict", "the upstream does not promise to keep to the schema")


def _can_choose(request: Request, quirks: Quirks) -> bool:
    if quirks.tools == "constrained":
        return True
    choices = quirks.tool_choice if quirks.tools == "native" else ()
    match request.tool_choice:
        case FunctionChoice() | CustomChoice():
            return not {"named", "required", "any"}.isdisjoint(choices)
        case AllowedToolsChoice(mode="required") if "allowed" in choices:
            return True
        case "required" | AllowedToolsChoice(mode="required"):
            return not {"required", "any"}.isdisjoint(choices)
        case AllowedToolsChoice():
            return quirks.tools != "none"
        case _:
            return True


def _check_text(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    if request.text is None:
        return
    match request.text.format:
        case JsonSchemaFormat():
            possible = quirks.response_format == "json_schema" or quirks.schema_in_system
        case JsonObjectFormat():
            possible = quirks.response_format != "text"
        case wanted:
            possible = wanted is None or wanted.type == "text"
    if not possible:
        yield rejected("text.format.type", "the upstream cannot be held to such a format")


def _check_reasoning(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    wanted = request.reasoning
    if wanted is None:
        return
    if wanted.effort and quirks.effort == "none":
        yield dropped("reasoning.effort", "the upstream decides itself how hard it thinks")
    elif wanted.effort not in (None, "none") and stops_thinking(request, quirks):
        yield dropped("reasoning.effort", "the upstream cannot think when it must call a tool")


def _check_logprobs(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    if quirks.logprobs:
        return
    if request.top_logprobs:
        yield rejected("top_logprobs", "the upstream gives no log probabilities")
    for position, name in enumerate(request.include or ()):
        if name == LOGPROBS:
            yield rejected(f"include[{position}]", "the upstream gives no log probabilities")
