"""What of a request Anthropic can express; what varies is in check.py."""

from __future__ import annotations

from gateway.plugin import Support
from gateway.plugin.support import ACCEPT, BY_VALUE, FUNCTIONS_ONLY, drop, reject

__all__ = ["SUPPORT"]

_CARRIED = Support(reason="it goes back as it came, in the reasoning item beside it, or not at all")
_NO_LOGPROBS = reject("the upstream gives no log probabilities")

SUPPORT = FUNCTIONS_ONLY.but(
    parameters={
        "temperature": BY_VALUE,
        "top_p": BY_VALUE,
        "top_logprobs": _NO_LOGPROBS,
        "max_tool_calls": BY_VALUE,
        "prompt_cache_options": BY_VALUE,
        "prompt_cache_retention": ACCEPT,
        "service_tier": BY_VALUE,
        "safety_identifier": ACCEPT,
        "user": ACCEPT,
    },
    details={
        "reasoning.summary": BY_VALUE,
        "reasoning.generate_summary": BY_VALUE,
        "reasoning.context": drop("the upstream decides itself", "auto"),
        "reasoning.mode": reject("the upstream knows no such mode", "standard"),
        "tools[].async": reject("the upstream waits for its tools"),
    },
    items={
        "computer_call": BY_VALUE,
        "computer_call_output": BY_VALUE,
        "web_search_call": _CARRIED,
        "code_interpreter_call": _CARRIED,
        "mcp_call": _CARRIED,
        "mcp_list_tools": _CARRIED,
    },
    tools={
        "computer": BY_VALUE,
        "computer_use_preview": BY_VALUE,
        "web_search": BY_VALUE,
        "web_search_2025_08_26": BY_VALUE,
        "web_search_preview": BY_VALUE,
        "web_search_preview_2025_03_11": BY_VALUE,
        "code_interpreter": BY_VALUE,
    },
    includes={
        "message.output_text.logprobs": _NO_LOGPROBS,
        "web_search_call.action.sources": ACCEPT,
        "code_interpreter_call.outputs": ACCEPT,
    },
)
