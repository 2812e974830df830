"""What of a request Chat Completions can express: a table for parameters, items and tools.

Every parameter, item and tool of the Responses API is named here; a test sees to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gateway.plugin import Action

__all__ = [
    "INCLUDES",
    "ITEMS",
    "LOGPROBS",
    "PARAMETERS",
    "TOOLS",
    "UNKNOWN_INCLUDE",
    "UNKNOWN_ITEM",
    "UNKNOWN_TOOL",
    "Support",
]


class Support(Struct, frozen=True, kw_only=True):
    """What becomes of one part of a request; no `action` means that it is honoured.

    Values in `harmless` ask for what happens anyway.
    """

    action: Action | None = None
    reason: str = ""
    harmless: tuple[object, ...] = ()


def _reject(reason: str) -> Support:
    return Support(action="reject", reason=reason)


def _drop(reason: str, *harmless: object) -> Support:
    return Support(action="drop", reason=reason, harmless=harmless)


HONOURED = Support()
BY_THE_CORE = Support()
"""State belongs to the gateway's core, which judges these before any dialect does."""
CHECKED = Support()
"""It depends on the value and on the server's quirks: see check.py."""
ECHOED = Support()
"""The answer repeats it, and that is all that is asked."""

_A_HINT = "the upstream has no such hint"
_AT_OPENAI = "it names something that OpenAI keeps"
_NO_SUCH_TOOL = "the upstream knows only function tools"
_OF_OTHER_TOOLS = "it belongs to a tool that the upstream does not know"

PARAMETERS: Mapping[str, Support] = {
    "model": HONOURED,
    "input": CHECKED,
    "instructions": HONOURED,
    "tools": CHECKED,
    "tool_choice": CHECKED,
    "parallel_tool_calls": CHECKED,
    "max_tool_calls": HONOURED,  # it counts hosted tools, of which there are none
    "max_output_tokens": HONOURED,
    "temperature": HONOURED,
    "top_p": HONOURED,
    "top_logprobs": CHECKED,
    "reasoning": CHECKED,
    "text": CHECKED,
    "truncation": _drop("the upstream refuses an input that is too long", "disabled"),
    "include": CHECKED,
    "stream": HONOURED,
    "stream_options": _drop("the gateway's streams hold no obfuscation"),
    "store": BY_THE_CORE,
    "background": BY_THE_CORE,
    "background_options": BY_THE_CORE,
    "previous_response_id": BY_THE_CORE,
    "conversation": BY_THE_CORE,
    "context_management": _reject("the upstream cannot compact its input"),
    "prompt": _reject(_AT_OPENAI),
    "prompt_cache_key": _drop(_A_HINT),
    "prompt_cache_options": _drop(_A_HINT),
    "prompt_cache_retention": _drop(_A_HINT),
    "metadata": ECHOED,
    "service_tier": _drop(_A_HINT, "auto", "default"),
    "safety_identifier": _drop(_A_HINT),
    "user": _drop(_A_HINT),
    "moderation": _reject("the upstream has no moderation"),
    "access_programs": _reject(_AT_OPENAI),
    "image": _drop(_A_HINT),
}

ITEMS: Mapping[str, Support] = {
    "message": CHECKED,
    "function_call": CHECKED,
    "function_call_output": CHECKED,
    "reasoning": HONOURED,  # sent back where the quirks say how, else left out
    "item_reference": _reject("there is no stored item to put in its place"),
    "compaction": _reject("only its maker can read it"),
    "compaction_trigger": _reject("the upstream cannot compact its input"),
    "configuration_update": _reject("chat completions has no such item"),
    "additional_tools": _reject("chat completions takes tools only in the parameter `tools`"),
    "custom_tool_call": _reject(_OF_OTHER_TOOLS),
    "custom_tool_call_output": _reject(_OF_OTHER_TOOLS),
    "tool_search_call": _reject(_OF_OTHER_TOOLS),
    "tool_search_output": _reject(_OF_OTHER_TOOLS),
    "file_search_call": _reject(_OF_OTHER_TOOLS),
    "web_search_call": _reject(_OF_OTHER_TOOLS),
    "code_interpreter_call": _reject(_OF_OTHER_TOOLS),
    "image_generation_call": _reject(_OF_OTHER_TOOLS),
    "computer_call": _reject(_OF_OTHER_TOOLS),
    "computer_call_output": _reject(_OF_OTHER_TOOLS),
    "local_shell_call": _reject(_OF_OTHER_TOOLS),
    "local_shell_call_output": _reject(_OF_OTHER_TOOLS),
    "shell_call": _reject(_OF_OTHER_TOOLS),
    "shell_call_output": _reject(_OF_OTHER_TOOLS),
    "apply_patch_call": _reject(_OF_OTHER_TOOLS),
    "apply_patch_call_output": _reject(_OF_OTHER_TOOLS),
    "mcp_list_tools": _reject(_OF_OTHER_TOOLS),
    "mcp_approval_request": _reject(_OF_OTHER_TOOLS),
    "mcp_approval_response": _reject(_OF_OTHER_TOOLS),
    "mcp_call": _reject(_OF_OTHER_TOOLS),
    "program": _reject(_OF_OTHER_TOOLS),
    "program_output": _reject(_OF_OTHER_TOOLS),
}
UNKNOWN_ITEM = _reject("it is of an unknown type")

TOOLS: Mapping[str, Support] = {
    "function": CHECKED,
    "custom": _reject(_NO_SUCH_TOOL),
    "namespace": _reject(_NO_SUCH_TOOL),
    "tool_search": _reject(_NO_SUCH_TOOL),
    "mcp": _reject(_NO_SUCH_TOOL),
    "computer": _reject(_NO_SUCH_TOOL),
    "computer_use_preview": _reject(_NO_SUCH_TOOL),
    "web_search": _reject(_NO_SUCH_TOOL),
    "web_search_preview": _reject(_NO_SUCH_TOOL),
    "file_search": _reject(_NO_SUCH_TOOL),
    "code_interpreter": _reject(_NO_SUCH_TOOL),
    "image_generation": _reject(_NO_SUCH_TOOL),
    "shell": _reject(_NO_SUCH_TOOL),
    "local_shell": _reject(_NO_SUCH_TOOL),
    "apply_patch": _reject(_NO_SUCH_TOOL),
    "programmatic_tool_calling": _reject(_NO_SUCH_TOOL),
}
UNKNOWN_TOOL = _reject(_NO_SUCH_TOOL)

LOGPROBS = "message.output_text.logprobs"
INCLUDES: Mapping[str, Support] = {
    "reasoning.encrypted_content": HONOURED,
    LOGPROBS: CHECKED,
}
UNKNOWN_INCLUDE = _drop("nothing that the upstream makes has such a part")
