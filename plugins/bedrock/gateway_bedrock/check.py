"""What of a request Converse can express, and what the model of a deployment cannot honour."""

from collections.abc import Iterator

from gateway.plugin import Verdict, support
from gateway.plugin.content import parts_of, text_of
from gateway.types.items import Message
from gateway.types.request import Request
from gateway_bedrock.answer import SYSTEM_TOOLS
from gateway_bedrock.messages import problem
from gateway_bedrock.quirks import Quirks, effort_problem

__all__ = ["SUPPORT", "check"]

_UNTOLD = support.reject("Bedrock gives no log probabilities")
_CARRIED = support.Support(reason="it goes back with the reasoning item before it, or not at all")
_TIERS = (None, "auto", "default", "flex", "priority")
_FORMATS = (None, "text", "json_schema")
_CALLS = ("_call", "_approval_request")
_HINTS = ("user_location", "search_context_size", "search_content_types", "external_web_access")
SUPPORT = support.FUNCTIONS_ONLY.but(
    parameters={
        **dict.fromkeys(("service_tier", "temperature", "top_p"), support.BY_VALUE),
        "top_logprobs": _UNTOLD,
    },
    details={"reasoning.summary": support.BY_VALUE},
    items={"web_search_call": _CARRIED, "code_interpreter_call": _CARRIED},
    tools=dict.fromkeys(SYSTEM_TOOLS, support.BY_VALUE),
    includes={
        "message.output_text.logprobs": _UNTOLD,
        "code_interpreter_call.outputs": support.ACCEPT,
    },
)


def check(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of `request` a model with `quirks` cannot honour."""
    yield from SUPPORT.judge(request)
    yield from _check_settings(request, quirks)
    yield from _check_tools(request, quirks)
    for part, path, item in parts_of(request):
        reason = problem(part)
        if isinstance(item, Message) and item.role != "user" and text_of(part) is None:
            reason = f"the role {item.role} can only hold text"
        if reason:
            yield support.rejected(f"{path}.type", reason)
        yield from support.dropped_members(part, path, "detail")
        if not quirks.cache:
            yield from support.dropped_members(part, path, "prompt_cache_breakpoint")


def _check_settings(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    for name in () if quirks.samplers else ("temperature", "top_p"):
        if getattr(request, name) is not None:
            yield support.rejected(name, "the model refuses it")
    if quirks.samplers and (request.temperature or 0) > 1:
        yield support.rejected("temperature", "it is 1 at most")
    if (request.text and request.text.format and request.text.format.type) not in _FORMATS:
        yield support.rejected("text.format.type", "Bedrock knows only text and json_schema")
    if request.service_tier not in _TIERS:
        yield support.dropped("service_tier", "Bedrock has no such tier")
    if request.reasoning and (reason := effort_problem(request, quirks)):
        yield support.dropped("reasoning.effort", reason)
    if request.reasoning and quirks.effort != "adaptive":
        yield from support.dropped_members(request.reasoning, "reasoning", "summary")


def _check_tools(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    hosted = [(tool, path) for tool, path in support.tools_of(request) if tool.type in SYSTEM_TOOLS]
    for tool, path in hosted:
        if not quirks.system_tools:
            yield support.rejected(f"{path}.type", "only models of Amazon's have such a tool")
        for name in ("filters", "container"):
            if getattr(tool, name, None) and getattr(tool, name) != {"type": "auto"}:
                yield support.rejected(f"{path}.{name}", "Amazon's tool cannot be restricted")
        yield from support.dropped_members(tool, path, *_HINTS)
    if hosted and request.max_tool_calls:
        yield support.dropped("max_tool_calls", "Amazon's tools cannot be counted")
    if getattr(request.tool_choice, "type", "") in SYSTEM_TOOLS:
        yield support.rejected("tool_choice.type", "the model cannot be made to use this tool")
    items = request.input if isinstance(request.input, tuple) else ()
    if request.tool_choice == "none" and any(item.type.endswith(_CALLS) for item in items):
        yield support.rejected("tool_choice", "where tools were called, Bedrock cannot forbid them")
    if request.tools and request.parallel_tool_calls is False and not quirks.one_call:
        yield support.rejected("parallel_tool_calls", "the model may call several at once")
