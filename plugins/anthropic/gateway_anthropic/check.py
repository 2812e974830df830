"""Judges a request by the table in support.py and by the quirks of the model that it goes to.

What can be written can be honoured: so most of it is tried out, and the error is the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gateway.plugin import Verdict
from gateway.plugin.bodies import members_of
from gateway.plugin.checks import check_parts, try_to_write
from gateway.plugin.content import parts_of
from gateway.plugin.support import BY_VALUE, dropped, dropped_members, rejected, tools_of
from gateway.types import items, parameters, tools
from gateway.types.request import Request
from gateway_anthropic.computer import blocks_of
from gateway_anthropic.effort import write_thinking
from gateway_anthropic.parts import write_part
from gateway_anthropic.quirks import Quirks
from gateway_anthropic.request import write_cache
from gateway_anthropic.support import SUPPORT
from gateway_anthropic.tools import write_choice, write_tool

__all__ = ["check"]

_BREAKPOINTS = 4


def check(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of `request` a model with `quirks` cannot honour."""
    yield from SUPPORT.judge(request)
    yield from _check_input(request, quirks)
    for tool, path in tools_of(request):
        if SUPPORT.tools.get(tool.type) is BY_VALUE:
            yield from try_to_write(f"{path}.type", partial(write_tool, tool, request, quirks))
        yield from _check_tool(tool, path, quirks)
    yield from try_to_write("tool_choice", partial(write_choice, request, quirks))
    yield from _check_thinking(request, quirks)
    yield from _check_rest(request, quirks)


def _unknown(members: object, *known: str) -> Iterator[str]:
    """Yield the names of other `members` than the known; what is no name means nothing."""
    names = members_of(members)
    yield from (name for name in names if name not in known and name.isidentifier())


def _check_input(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    yield from check_parts(request, partial(write_part, quirks=quirks), "detail")
    name = "prompt_cache_breakpoint"
    marked = [f"{path}.{name}" for part, path, _ in parts_of(request) if getattr(part, name, None)]
    most = _BREAKPOINTS - 1 if write_cache(request) else _BREAKPOINTS
    for path in marked[:-most]:
        yield dropped(path, f"the upstream keeps {_BREAKPOINTS} at most")
    for position, item in enumerate(request.input or ()):
        if isinstance(item, items.ComputerCall):
            yield from try_to_write(f"input[{position}].type", partial(blocks_of, item))


def _check_tool(
    tool: tools.Tool | tools.NamespaceMember, path: str, quirks: Quirks
) -> Iterator[Verdict]:
    match tool:
        case tools.FunctionTool(strict=True) if not quirks.structured:
            yield dropped(f"{path}.strict", "the model does not promise to keep to the schema")
        case tools.WebSearchTool() | tools.WebSearchPreviewTool():
            yield from dropped_members(tool, path, "search_context_size", "search_content_types")
            filters = getattr(tool, "filters", None)
            for name in _unknown(filters, "allowed_domains", "blocked_domains"):
                yield rejected(f"{path}.filters.{name}", "the upstream cannot filter like this")
            if getattr(tool, "external_web_access", None) is False:
                yield rejected(f"{path}.external_web_access", "it searches the live web")
        case tools.CodeInterpreterTool(container=dict() as container):
            for name in _unknown(container, "type"):
                verdict = dropped if name == "memory_limit" else rejected
                yield verdict(f"{path}.container.{name}", "its containers have no such setting")
        case _:
            pass


def _check_thinking(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Check the reasoning, and the samplers, which may not go with it."""
    refused = [*try_to_write("reasoning", partial(write_thinking, request, quirks))]
    thinking = {} if refused else write_thinking(request, quirks)
    reason = "the model does not think, or not without effort and room for it"
    names = ("effort", "summary", "generate_summary")
    unheeded = dropped_members(request.reasoning, "reasoning", *names, reason=reason)
    yield from refused or (() if thinking else unheeded)
    for name in ("temperature", "top_p"):
        if getattr(request, name) in (None, 1):
            pass
        elif not quirks.samplers:
            yield rejected(name, "the model takes no sampling parameters")
        elif thinking.get("type", "disabled") != "disabled":
            yield dropped(name, "the model takes none when it thinks")
    if quirks.samplers and (request.temperature or 0) > 1:
        yield rejected("temperature", "the upstream takes temperatures up to 1")
    if quirks.samplers and None not in (request.temperature, request.top_p):
        yield dropped("top_p", "the model takes none beside a temperature")


def _check_rest(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    if request.max_tool_calls and "code_interpreter" in [tool.type for tool in request.tools or ()]:
        yield dropped("max_tool_calls", "the upstream can only limit its searches")
    for name in _unknown(request.prompt_cache_options, "mode", "ttl"):
        yield dropped(f"prompt_cache_options.{name}")
    wanted = request.text.format if request.text else None
    held = parameters.JsonSchemaFormat if quirks.structured else parameters.JsonObjectFormat
    if not isinstance(wanted, tools.TextFormat | parameters.JsonObjectFormat | held | None):
        yield rejected("text.format.type", "the model cannot be held to such a format")
