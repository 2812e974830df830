"""Judges a request by the table in support.py and by the quirks of the model that it goes to.

What can be written can be honoured: so most of it is tried out, and the error is the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import UNSET

from gateway.errors import InvalidRequestError
from gateway.plugin import Verdict
from gateway.plugin.support import BY_VALUE, tools_of
from gateway.types import items, parameters, tools
from gateway.types.content import ContentPart
from gateway.types.request import Request
from gateway_anthropic.computer import blocks_of
from gateway_anthropic.effort import write_thinking
from gateway_anthropic.parts import text_of, write_part
from gateway_anthropic.quirks import Quirks
from gateway_anthropic.request import TIERS
from gateway_anthropic.support import SUPPORT
from gateway_anthropic.tools import write_choice, write_tool

__all__ = ["check"]

_NO_HINT = "the upstream has no such hint"
_BREAKPOINTS = 4
_FILTERS = {"allowed_domains", "blocked_domains"}


def check(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of `request` a model with `quirks` cannot honour."""
    yield from SUPPORT.judge(request)
    yield from _check_input(request, quirks)
    for tool, path in tools_of(request):
        if SUPPORT.tools.get(tool.type) is BY_VALUE:
            yield from _attempt(f"{path}.type", lambda tool=tool: write_tool(tool, request, quirks))
        yield from _check_tool(tool, path, quirks)
    yield from _attempt("tool_choice", lambda: write_choice(request, quirks))
    yield from _check_thinking(request, quirks)
    yield from _check_rest(request, quirks)


def _reject(param: str, reason: str) -> Verdict:
    return Verdict(action="reject", param=param, reason=reason)


def _drop(param: str, reason: str) -> Verdict:
    return Verdict(action="drop", param=param, reason=reason)


def _attempt(param: str, write: Callable[[], object]) -> Iterator[Verdict]:
    try:
        write()
    except InvalidRequestError as error:
        yield _reject(param if error.param in (None, "input") else error.param, error.message)


def _check_input(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    marked: list[str] = []
    for position, item in enumerate(() if isinstance(request.input, str) else request.input or ()):
        path = f"input[{position}]"
        for part, place in _parts(item, path):
            if isinstance(item, items.Message) and item.role != "user" and text_of(part) is None:
                yield _reject(f"{place}.type", f"the role {item.role} can only hold text")
            else:
                yield from _attempt(f"{place}.type", lambda part=part: write_part(part, quirks))
            if getattr(part, "detail", None) not in (None, UNSET, "auto"):
                yield _drop(f"{place}.detail", _NO_HINT)
            if getattr(part, "prompt_cache_breakpoint", None):
                marked.append(f"{place}.prompt_cache_breakpoint")
        if isinstance(item, items.ComputerCall):
            yield from _attempt(f"{path}.type", lambda item=item: blocks_of(item))
    for path in marked[:-_BREAKPOINTS]:
        yield _drop(path, f"the upstream keeps {_BREAKPOINTS} at most")


def _parts(item: items.InputItem, path: str) -> Iterator[tuple[ContentPart, str]]:
    match item:
        case items.Message(content=tuple() as parts):
            name = "content"
        case items.FunctionCallOutput(output=tuple() as parts):
            name = "output"
        case items.CustomToolCallOutput(output=tuple() as parts):
            name = "output"
        case items.ComputerCallOutput(output=part):
            yield part, f"{path}.output"
            return
        case _:
            return
    yield from ((part, f"{path}.{name}[{index}]") for index, part in enumerate(parts))


def _check_tool(
    tool: tools.Tool | tools.NamespaceMember, path: str, quirks: Quirks
) -> Iterator[Verdict]:
    match tool:
        case tools.FunctionTool(strict=True) if not quirks.structured:
            yield _drop(f"{path}.strict", "the model does not promise to keep to the schema")
        case tools.WebSearchTool() | tools.WebSearchPreviewTool():
            yield from _check_search(tool, path)
        case tools.CodeInterpreterTool(container=dict() as container):
            for name in container.keys() - {"type"}:
                verdict = _drop if name == "memory_limit" else _reject
                yield verdict(f"{path}.container.{name}", "its containers have no such setting")
        case _:
            pass


def _check_search(
    tool: tools.WebSearchTool | tools.WebSearchPreviewTool, path: str
) -> Iterator[Verdict]:
    for name in ("search_context_size", "search_content_types"):
        if getattr(tool, name):
            yield _drop(f"{path}.{name}", _NO_HINT)
    if isinstance(tool, tools.WebSearchTool):
        for name in (tool.filters or {}).keys() - _FILTERS:
            yield _reject(f"{path}.filters.{name}", "the upstream cannot filter like this")
        if tool.external_web_access is False:
            yield _reject(f"{path}.external_web_access", "the upstream searches the live web")


def _check_thinking(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Check the reasoning, and the samplers, which may not go with it."""
    refused = [*_attempt("reasoning", lambda: write_thinking(request, quirks))]
    yield from refused
    thinking = "display" if refused else write_thinking(request, quirks)
    wanted = request.reasoning or parameters.ReasoningConfig()
    if not thinking:
        for name in ("effort", "summary", "generate_summary"):
            if getattr(wanted, name) not in (None, UNSET, "none"):
                yield _drop(f"reasoning.{name}", "the model does not think, or not without effort")
    for name in ("temperature", "top_p"):
        value = getattr(request, name)
        if value not in (None, 1) and not quirks.samplers:
            yield _reject(name, "the model takes no sampling parameters")
        elif value not in (None, 1) and ("display" in thinking or "budget_tokens" in thinking):
            yield _drop(name, "the model takes none when it thinks")
    if quirks.samplers and (request.temperature or 0) > 1:
        yield _reject("temperature", "the upstream takes temperatures up to 1")
    if quirks.samplers and request.top_p is not None and request.temperature is not None:
        yield _drop("top_p", "the model takes none beside a temperature")


def _check_rest(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    if request.service_tier not in (None, *TIERS):
        yield _reject("service_tier", "the upstream has no such tier")
    coding = any(tool.type == "code_interpreter" for tool in request.tools or ())
    if request.max_tool_calls and coding:
        yield _drop("max_tool_calls", "the upstream can only limit its searches")
    for name in (request.prompt_cache_options or {}).keys() - {"mode", "ttl"}:
        yield _drop(f"prompt_cache_options.{name}", _NO_HINT)
    wanted = request.text.format if request.text else None
    held = parameters.JsonSchemaFormat if quirks.structured else parameters.JsonObjectFormat
    if not isinstance(wanted, tools.TextFormat | parameters.JsonObjectFormat | held | None):
        yield _reject("text.format.type", "the model cannot be held to such a format")
