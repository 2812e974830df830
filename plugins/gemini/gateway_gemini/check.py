"""Judges a request by the table in support.py and by the model that it goes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from gateway.plugin import Verdict
from gateway.plugin.support import tools_of
from gateway.types.items import FunctionCallOutput, InputItem, Message
from gateway.types.open import Unknown
from gateway.types.request import Request
from gateway.types.tools import (
    CodeInterpreterTool,
    HostedChoice,
    NamespaceMember,
    Tool,
    WebSearchPreviewTool,
    WebSearchTool,
)
from gateway_gemini.parts import is_text, problem
from gateway_gemini.quirks import Quirks
from gateway_gemini.request import TIERS
from gateway_gemini.support import SUPPORT

__all__ = ["check"]

_HINTS = ("detail", "filename", "prompt_cache_breakpoint")
_SEARCH_HINTS = ("search_context_size", "search_content_types", "user_location")


def check(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of `request` a model with `quirks` cannot honour."""
    yield from SUPPORT.judge(request)
    if not isinstance(request.input, str):
        for position, item in enumerate(request.input or ()):
            yield from _check_item(item, f"input[{position}]")
    for tool, path in tools_of(request):
        yield from _check_tool(tool, path)
    if isinstance(request.tool_choice, HostedChoice):
        yield _reject("tool_choice.type", "gemini can be made to call functions only")
    if isinstance(request.text and request.text.format, Unknown):
        yield _reject("text.format.type", "gemini knows no such format")
    if request.service_tier not in (None, "auto", "default", *TIERS):
        yield from _drop(request, "", ("service_tier",))
    yield from _check_reasoning(request, quirks)


def _reject(param: str, reason: str) -> Verdict:
    return Verdict(action="reject", param=param, reason=reason)


def _drop(owner: object, path: str, names: Sequence[str]) -> Iterator[Verdict]:
    """Drop those members of `owner` that ask for more than usual."""
    for name in names:
        if getattr(owner, name, None) not in (None, UNSET, "auto"):
            yield Verdict(action="drop", param=f"{path}{name}", reason="gemini has no such hint")


def _check_item(item: InputItem, path: str) -> Iterator[Verdict]:
    match item:
        case Message(content=tuple() as parts):
            path = f"{path}.content"
        case FunctionCallOutput(output=tuple() as parts):
            path = f"{path}.output"
        case _:
            return
    role = item.role if isinstance(item, Message) else "user"
    for position, part in enumerate(parts):
        reason = problem(part)
        if role != "user" and not is_text(part):
            reason = f"the role {role} can only hold text"
        if reason:
            yield _reject(f"{path}[{position}].type", reason)
        else:
            yield from _drop(part, f"{path}[{position}].", _HINTS)


def _check_tool(tool: Tool | NamespaceMember, path: str) -> Iterator[Verdict]:
    match tool:
        case WebSearchTool(external_web_access=False):
            reason = "google searches the live web"
            yield Verdict(action="drop", param=f"{path}.type", reason=reason)
        case WebSearchTool(filters=dict()):
            yield _reject(f"{path}.filters", "google searches the whole web")
        case WebSearchTool() | WebSearchPreviewTool():
            yield from _drop(tool, f"{path}.", _SEARCH_HINTS)
        case CodeInterpreterTool(container=container) if container != {"type": "auto"}:
            yield _reject(f"{path}.container", "gemini's containers are alike: ask for type auto")
        case _:
            pass


def _check_reasoning(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    wanted = request.reasoning
    if wanted is None:
        return
    if quirks.efforts and wanted.effort and wanted.effort not in quirks.efforts:
        yield _reject("reasoning.effort", f"the model knows {', '.join(quirks.efforts)}")
    for name in () if quirks.efforts else ("effort", "summary", "generate_summary"):
        if getattr(wanted, name, None) not in (None, UNSET, "none"):
            reason = "the model does not think"
            yield Verdict(action="drop", param=f"reasoning.{name}", reason=reason)
