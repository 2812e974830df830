"""What of a request Converse can express, and what the model of a deployment cannot honour."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from gateway.plugin import Support, Verdict
from gateway.plugin.support import ACCEPT, BY_VALUE, FUNCTIONS_ONLY, reject, tools_of
from gateway.types.content import ContentPart, InputAudio, InputFile, InputImage
from gateway.types.items import CustomToolCallOutput, FunctionCallOutput, InputItem, Message
from gateway.types.request import Request
from gateway_bedrock.hosted import SYSTEM_TOOLS, Json
from gateway_bedrock.messages import problem
from gateway_bedrock.quirks import Quirks, effort_problem

__all__ = ["SUPPORT", "check"]

_NO_LOGPROBS = reject("Bedrock gives no log probabilities")
_CARRIED = Support(reason="it goes back with the reasoning item before it, or not at all")
_TIERS = (None, "auto", "default", "flex", "priority")
_FORMATS = (None, "text", "json_schema")
SUPPORT = FUNCTIONS_ONLY.but(
    parameters={
        "service_tier": BY_VALUE,
        "temperature": BY_VALUE,
        "top_logprobs": _NO_LOGPROBS,
        "top_p": BY_VALUE,
    },
    details={"reasoning.summary": BY_VALUE},
    items={"web_search_call": _CARRIED, "code_interpreter_call": _CARRIED},
    tools={"function": BY_VALUE, **dict.fromkeys(SYSTEM_TOOLS, BY_VALUE)},
    includes={
        "message.output_text.logprobs": _NO_LOGPROBS,
        "code_interpreter_call.outputs": ACCEPT,
    },
)

_HOLDERS = (Message, FunctionCallOutput, CustomToolCallOutput)
_ATTACHMENTS = (InputImage, InputFile, InputAudio)

Complaint = tuple[object, str, str]
"""What makes it one, the path, and the reason."""


def check(request: Request, quirks: Quirks) -> Iterator[Verdict]:
    """Say what of `request` a model with `quirks` cannot honour."""
    yield from SUPPORT.judge(request)
    for wrong, param, reason in _refused(request, quirks):
        if wrong:
            yield Verdict(action="reject", param=param, reason=reason)
    for wrong, param, reason in _dropped(request, quirks):
        if wrong:
            yield Verdict(action="drop", param=param, reason=reason)


def _items(request: Request) -> tuple[InputItem, ...]:
    return request.input if isinstance(request.input, tuple) else ()


def _refused(request: Request, quirks: Quirks) -> Iterator[Complaint]:
    for name in ("temperature", "top_p"):
        given = getattr(request, name)
        yield given is not None and not quirks.samplers, name, "the model refuses it"
        yield quirks.samplers and (given or 0) > 1, name, "it is 1 at most here"
    form = request.text and request.text.format and request.text.format.type
    yield form not in _FORMATS, "text.format.type", "Bedrock knows only text and json_schema"
    many = request.tools and request.parallel_tool_calls is False and not quirks.one_call
    yield many, "parallel_tool_calls", "the model calls as many tools at once as it likes"
    called = any(item.type.endswith("_call") for item in _items(request))
    forbidden = request.tool_choice == "none" and called
    yield forbidden, "tool_choice", "Bedrock cannot forbid tools where some were called"
    choice = getattr(request.tool_choice, "type", "")
    yield choice in SYSTEM_TOOLS, "tool_choice.type", "the model cannot be made to use this tool"
    for tool, path in tools_of(request):
        wanted = tool.type in SYSTEM_TOOLS
        yield wanted and not quirks.system_tools, f"{path}.type", "only Amazon's models have it"
        for name in ("filters", "container"):
            value = wanted and getattr(tool, name, None)
            special = value and value != {"type": "auto"}
            yield special, f"{path}.{name}", "Amazon's tool takes no such setting"
    for item, part, path in _parts(request):
        yield _problem(item, part), f"{path}.type", _problem(item, part)


def _dropped(request: Request, quirks: Quirks) -> Iterator[Complaint]:
    yield request.service_tier not in _TIERS, "service_tier", "Bedrock has no such tier"
    if reasoning := request.reasoning:
        reason = reasoning.effort and effort_problem(reasoning.effort, request, quirks)
        yield reason, "reasoning.effort", reason or ""
        untold = reasoning.summary and quirks.effort != "adaptive"
        yield untold, "reasoning.summary", "the model decides what it shows of its thoughts"
    for tool, path in tools_of(request):
        settings: Json = msgspec.to_builtins(tool) if tool.type in SYSTEM_TOOLS else {}
        for name in settings.keys() - {"type", "filters", "container"}:
            yield settings[name], f"{path}.{name}", "Amazon's tool takes no such hint"
    for _, part, path in _parts(request):
        detail = getattr(part, "detail", None) not in (None, "auto", UNSET)
        yield detail, f"{path}.detail", "Bedrock has no such hint"
        point = getattr(part, "prompt_cache_breakpoint", None) and not quirks.cache
        yield point, f"{path}.prompt_cache_breakpoint", "the model has no cache points"


def _parts(request: Request) -> Iterator[tuple[InputItem, ContentPart, str]]:
    """Yield each part of content, with the item that holds it, and the path to it."""
    for position, item in enumerate(_items(request)):
        name = "content" if isinstance(item, Message) else "output"
        content = getattr(item, name, ()) if isinstance(item, _HOLDERS) else ()
        for place, part in enumerate(() if isinstance(content, str) else content):
            yield item, part, f"input[{position}].{name}[{place}]"


def _problem(item: InputItem, part: ContentPart) -> str:
    if isinstance(item, Message) and item.role != "user" and isinstance(part, _ATTACHMENTS):
        return f"the role {item.role} can only hold text"
    if not isinstance(item, Message) and isinstance(part, InputAudio):
        return "the output of a tool holds no sound"
    return problem(part) or ""
