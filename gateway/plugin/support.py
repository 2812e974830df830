"""What of the Responses API a dialect can express, as data.

A dialect names every parameter, item type, tool type and `include` value in a `SupportTable`: it is
accepted, dropped, rejected, or emulated by the gateway. The table is what the pages in
docs/providers show, what the conformance kit holds the dialect to, and what `judge` turns into
verdicts. Most dialects begin with `FUNCTIONS_ONLY` and say in what they differ.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, Struct

from gateway.types.items import AdditionalTools, ToolSearchOutput
from gateway.types.request import Request
from gateway.types.tools import (
    AllowedToolsChoice,
    CustomTool,
    FunctionChoice,
    FunctionTool,
    NamespaceMember,
    NamespaceTool,
    Tool,
    ToolSearchTool,
)

__all__ = [
    "ACCEPT",
    "BY_VALUE",
    "EMULATE",
    "FUNCTIONS_ONLY",
    "WEB_SEARCHES",
    "Action",
    "Support",
    "SupportTable",
    "Verdict",
    "drop",
    "dropped",
    "dropped_members",
    "reject",
    "rejected",
    "tools_of",
]

Action = Literal["reject", "drop", "emulate"]


class Verdict(Struct, frozen=True, kw_only=True):
    """What becomes of one part of a request that the upstream cannot express.

    `reject` is a 400 that names `param` before any upstream call, unless the operator has relaxed
    it to `drop`. What is dropped is taken out of the request and reported in the header
    `x-gateway-dropped-params`. `emulate` is for the `type` of a tool, an item or a tool choice:
    the gateway turns it into functions and their calls, and what the model answers back again.
    All of that happens before `encode` sees the request. `param` is a JSON path such as
    `tools[0].type`; `reason` completes the error message.
    """

    action: Action
    param: str
    reason: str = ""


def rejected(param: str, reason: str) -> Verdict:
    return Verdict(action="reject", param=param, reason=reason)


def dropped(param: str, reason: str = "the upstream has no such hint") -> Verdict:
    return Verdict(action="drop", param=param, reason=reason)


def dropped_members(owner: object, path: str, *names: str, reason: str = "") -> Iterator[Verdict]:
    """Yield that those members of `owner`, which stands at `path`, are dropped that ask for
    something: `none` and `auto` do not.
    """
    for name in names:
        if getattr(owner, name, None) not in (None, UNSET, "none", "auto"):
            where = f"{path}.{name}" if path else name
            yield dropped(where, reason) if reason else dropped(where)


class Support(Struct, frozen=True, kw_only=True):
    """What becomes of one part of a request.

    `value` means that it depends on the value or on the server: the dialect's `check` decides.
    Values in `harmless` ask for what happens anyway. `reason` completes an error message.
    """

    action: Literal["accept", "value", "drop", "reject", "emulate"] = "accept"
    reason: str = ""
    harmless: tuple[object, ...] = ()


ACCEPT = Support()
BY_VALUE = Support(action="value")
EMULATE = Support(action="emulate", reason="the gateway turns it into what the upstream knows")
BY_THE_CORE = Support(reason="the gateway keeps the state of responses, not the upstream")
"""Judged by the gateway's core before any dialect is asked."""
COMPACTED = Support(reason="the gateway has the model write a summary that stands for the rest")
SHORTENED = Support(reason="the gateway leaves out the oldest items if the input is too long")


def reject(reason: str, *harmless: object) -> Support:
    return Support(action="reject", reason=reason, harmless=harmless)


def drop(reason: str, *harmless: object) -> Support:
    return Support(action="drop", reason=reason, harmless=harmless)


class SupportTable(Struct, frozen=True, kw_only=True):
    """The whole of what a dialect can express; `other_…` is for types that nobody knows yet.

    `details` names members of parameters, such as `reasoning.summary`, and with `tools[].strict`
    those of function and custom tools, wherever these stand.
    """

    parameters: Mapping[str, Support]
    details: Mapping[str, Support]
    items: Mapping[str, Support]
    tools: Mapping[str, Support]
    includes: Mapping[str, Support]
    other_item: Support = reject("it is of an unknown type")
    other_tool: Support = reject("the upstream does not know such tools")
    other_include: Support = drop("nothing that the upstream makes has such a part")

    def but(
        self,
        *,
        parameters: Mapping[str, Support] = {},
        details: Mapping[str, Support] = {},
        items: Mapping[str, Support] = {},
        tools: Mapping[str, Support] = {},
        includes: Mapping[str, Support] = {},
    ) -> SupportTable:
        """Return a table that differs in some rows."""
        return msgspec.structs.replace(
            self,
            parameters={**self.parameters, **parameters},
            details={**self.details, **details},
            items={**self.items, **items},
            tools={**self.tools, **tools},
            includes={**self.includes, **includes},
        )

    def judge(self, request: Request, *, honoured: Container[str] = ()) -> Iterator[Verdict]:
        """Yield the verdicts on `request`; rows in `honoured` are accepted all the same.

        `BY_VALUE` says nothing: that is left to the dialect.
        """
        for name, support in self.parameters.items():
            value = getattr(request, name)
            if value is not None and value not in support.harmless and name not in honoured:
                yield from _verdict(support, name)
        for path, support in self.details.items():
            owner, _, name = path.rpartition(".")
            if owner != _TOOLS and path not in honoured:
                yield from _judge_detail(support, getattr(request, owner), name, owner)
        if request.input and not isinstance(request.input, str):
            for position, item in enumerate(request.input):
                support = self.items.get(item.type, self.other_item)
                yield from _verdict(support, f"input[{position}].type")
        yield from self._judge_tools(request)
        yield from self._judge_choice(request)
        for position, name in enumerate(request.include or ()):
            yield from _verdict(self.includes.get(name, self.other_include), f"include[{position}]")

    def _judge_tools(self, request: Request) -> Iterator[Verdict]:
        tools = list(tools_of(request))
        searched = any(isinstance(tool, ToolSearchTool) for tool, _ in tools)
        for tool, path in tools:
            yield from _verdict(self.tools.get(tool.type, self.other_tool), f"{path}.type")
            if not isinstance(tool, FunctionTool | CustomTool):
                continue
            for row, support in self.details.items():
                owner, _, name = row.rpartition(".")
                # The gateway loads what is deferred, if there is a search that can find it.
                if owner == _TOOLS and not (searched and name == "defer_loading"):
                    yield from _judge_detail(support, tool, name, path)

    def _judge_choice(self, request: Request) -> Iterator[Verdict]:
        match request.tool_choice:
            case None | str() | FunctionChoice() | AllowedToolsChoice():
                return
            case choice:
                support = self.tools.get(choice.type, self.other_tool)
                yield from _verdict(support, "tool_choice.type")


def tools_of(request: Request) -> Iterator[tuple[Tool | NamespaceMember, str]]:
    """Yield every tool with its path: those of the request, those that items bring, and in both
    the members of namespaces.
    """
    yield from _within(request.tools or (), "tools")
    if not isinstance(request.input, str):
        for position, item in enumerate(request.input or ()):
            if isinstance(item, AdditionalTools | ToolSearchOutput):
                yield from _within(item.tools, f"input[{position}].tools")


def _within(
    tools: Iterable[Tool | NamespaceMember], path: str
) -> Iterator[tuple[Tool | NamespaceMember, str]]:
    for position, tool in enumerate(tools):
        yield tool, f"{path}[{position}]"
        if isinstance(tool, NamespaceTool):
            yield from _within(tool.tools, f"{path}[{position}].tools")


def _judge_detail(support: Support, owner: object, name: str, path: str) -> Iterator[Verdict]:
    value = getattr(owner, "async_" if name == "async" else name, None)
    if value and value not in support.harmless:
        yield from _verdict(support, f"{path}.{name}")


def _verdict(support: Support, param: str) -> Iterator[Verdict]:
    if support.action in ("drop", "reject", "emulate"):
        yield Verdict(action=support.action, param=param, reason=support.reason)


_TOOLS = "tools[]"
_A_HINT = "the upstream has no such hint"
_AT_OPENAI = "it names something that OpenAI keeps"
_NO_SUCH_TOOL = "the upstream knows only function tools"
_OF_OTHER_TOOLS = "it belongs to a tool that the upstream does not know"
_TOLD = "another model's hosted tool did it, and the text that follows tells what came of it"

WEB_SEARCHES = (
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
)
"""The types that a tool has that searches the web."""

FUNCTIONS_ONLY = SupportTable(
    parameters={
        "model": ACCEPT,
        "input": BY_VALUE,
        "instructions": ACCEPT,
        "tools": BY_VALUE,
        "tool_choice": BY_VALUE,
        "parallel_tool_calls": BY_VALUE,
        "max_tool_calls": Support(reason="it counts hosted tools, of which there are none"),
        "max_output_tokens": ACCEPT,
        "temperature": ACCEPT,
        "top_p": ACCEPT,
        "top_logprobs": BY_VALUE,
        "reasoning": BY_VALUE,
        "text": BY_VALUE,
        "truncation": SHORTENED,
        "include": BY_VALUE,
        "stream": ACCEPT,
        "stream_options": drop("the gateway's streams hold no obfuscation"),
        "store": BY_THE_CORE,
        "background": BY_THE_CORE,
        "background_options": BY_THE_CORE,
        "previous_response_id": BY_THE_CORE,
        "conversation": BY_THE_CORE,
        "context_management": COMPACTED,
        "prompt": reject(_AT_OPENAI),
        "prompt_cache_key": drop(_A_HINT),
        "prompt_cache_options": drop(_A_HINT),
        "prompt_cache_retention": drop(_A_HINT),
        "metadata": Support(reason="the answer repeats it, and that is all that is asked"),
        "service_tier": drop(_A_HINT, "auto", "default"),
        "safety_identifier": drop(_A_HINT),
        "user": drop(_A_HINT),
        "moderation": reject("the upstream has no moderation"),
        "access_programs": reject(_AT_OPENAI),
        "image": drop(_A_HINT),
    },
    details={
        "reasoning.effort": BY_VALUE,
        "reasoning.summary": drop(_A_HINT),
        "reasoning.generate_summary": drop(_A_HINT),
        "reasoning.context": drop(_A_HINT),
        "reasoning.mode": drop(_A_HINT),
        "text.format": BY_VALUE,
        "text.verbosity": drop(_A_HINT),
        "tools[].strict": BY_VALUE,
        "tools[].output_schema": drop(_A_HINT),
        "tools[].allowed_callers": drop(_A_HINT),
        "tools[].async": drop(_A_HINT),
        "tools[].defer_loading": drop("there is no tool search that could load it"),
    },
    items={
        "message": BY_VALUE,
        "function_call": ACCEPT,
        "function_call_output": BY_VALUE,
        "reasoning": ACCEPT,
        "custom_tool_call": EMULATE,
        "custom_tool_call_output": EMULATE,
        "shell_call": EMULATE,
        "shell_call_output": EMULATE,
        "local_shell_call": EMULATE,
        "local_shell_call_output": EMULATE,
        "apply_patch_call": EMULATE,
        "apply_patch_call_output": EMULATE,
        "tool_search_call": EMULATE,
        "tool_search_output": EMULATE,
        "additional_tools": EMULATE,
        "item_reference": reject("there is no stored item to put in its place"),
        "compaction": COMPACTED,
        "compaction_trigger": COMPACTED,
        "configuration_update": reject("the upstream has no such item"),
        "file_search_call": drop(_TOLD),
        "web_search_call": drop(_TOLD),
        "code_interpreter_call": drop(_TOLD),
        "image_generation_call": drop(_TOLD),
        "computer_call": reject(_OF_OTHER_TOOLS),
        "computer_call_output": reject(_OF_OTHER_TOOLS),
        "mcp_list_tools": EMULATE,
        "mcp_approval_request": EMULATE,
        "mcp_approval_response": EMULATE,
        "mcp_call": EMULATE,
        "program": reject(_OF_OTHER_TOOLS),
        "program_output": reject(_OF_OTHER_TOOLS),
    },
    tools={
        "function": ACCEPT,
        "custom": EMULATE,
        "namespace": EMULATE,
        "tool_search": EMULATE,
        "shell": EMULATE,
        "local_shell": EMULATE,
        "apply_patch": EMULATE,
        "mcp": reject(_NO_SUCH_TOOL),
        "computer": reject(_NO_SUCH_TOOL),
        "computer_use_preview": reject(_NO_SUCH_TOOL),
        "web_search": reject(_NO_SUCH_TOOL),
        "web_search_preview": reject(_NO_SUCH_TOOL),
        "file_search": reject(_NO_SUCH_TOOL),
        "code_interpreter": reject(_NO_SUCH_TOOL),
        "image_generation": reject(_NO_SUCH_TOOL),
        "programmatic_tool_calling": reject(_NO_SUCH_TOOL),
    },
    includes={
        "reasoning.encrypted_content": ACCEPT,
        "message.output_text.logprobs": BY_VALUE,
    },
)
"""A dialect that knows text and function tools, and keeps nothing between two calls."""
