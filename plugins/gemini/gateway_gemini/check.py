"""Judges a request by the table in support.py and by the model that it goes to."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from gateway.plugin import Verdict
from gateway.plugin.checks import check_parts
from gateway.plugin.support import (
    SupportTable,
    dropped,
    dropped_members,
    rejected,
    tools_of,
)
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
from gateway_gemini.parts import write_part
from gateway_gemini.quirks import Quirks
from gateway_gemini.request import TIERS
from gateway_gemini.support import SUPPORT

__all__ = ["check"]


def check(request: Request, quirks: Quirks, table: SupportTable = SUPPORT) -> Iterator[Verdict]:
    """Say what of `request` a model with `quirks` cannot honour, behind the API of `table`."""
    yield from table.judge(request)
    yield from check_parts(request, write_part, "detail", "filename", "prompt_cache_breakpoint")
    for tool, path in tools_of(request):
        yield from _check_tool(tool, path)
    if isinstance(request.tool_choice, HostedChoice):
        yield rejected("tool_choice.type", "gemini can be made to call functions only")
    if isinstance(request.text and request.text.format, Unknown):
        yield rejected("text.format.type", "gemini knows no such format")
    if request.service_tier not in (None, "auto", "default", *TIERS):
        yield dropped("service_tier")
    yield from _check_reasoning(request, quirks)


def _check_tool(tool: Tool | NamespaceMember, path: str) -> Iterator[Verdict]:
    match tool:
        case WebSearchTool(external_web_access=False):
            yield dropped(f"{path}.type", "google searches the live web")
        case WebSearchTool(filters=dict()):
            yield rejected(f"{path}.filters", "google searches the whole web")
        case CodeInterpreterTool(container=container) if container != {"type": "auto"}:
            yield rejected(f"{path}.container", "gemini's containers are alike: ask for type auto")
        case WebSearchTool() | WebSearchPreviewTool():
            names = ("search_context_size", "search_content_types", "user_location")
            yield from dropped_members(tool, path, *names)
        case _:
            pass


def _check_reasoning(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    wanted = request.reasoning
    for name in () if quirks.efforts else ("effort", "summary", "generate_summary"):
        if getattr(wanted, name, None) not in (None, UNSET, "none"):
            yield dropped(f"reasoning.{name}", "the model does not think")
    if quirks.efforts and wanted and wanted.effort not in (None, *quirks.efforts):
        yield rejected("reasoning.effort", f"the model knows {', '.join(quirks.efforts)}")
