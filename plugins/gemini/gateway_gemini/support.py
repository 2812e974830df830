"""What of a request Gemini can express; what depends on the value is left to check.py."""

from __future__ import annotations

from gateway.plugin.support import (
    ACCEPT,
    BY_VALUE,
    FUNCTIONS_ONLY,
    WEB_SEARCHES,
    Support,
    drop,
    reject,
)

__all__ = ["SUPPORT"]

_CARRIED = Support(reason="the reasoning item beside it holds what gemini wants back")
_NO_NAMED = reject("gemini has stores of its own: name them in the quirk `tools`")

SUPPORT = FUNCTIONS_ONLY.but(
    parameters={
        "max_tool_calls": drop("gemini does not count the calls of its own tools"),
        "parallel_tool_calls": drop("gemini makes as many calls as it likes", True),
        "service_tier": BY_VALUE,
        "top_logprobs": ACCEPT,
    },
    details={
        "reasoning.summary": BY_VALUE,
        "reasoning.generate_summary": BY_VALUE,
        "tools[].strict": ACCEPT,
    },
    items={
        "computer_call": BY_VALUE,
        "computer_call_output": BY_VALUE,
        **dict.fromkeys(("web_search_call", "code_interpreter_call", "file_search_call"), _CARRIED),
        "image_generation_call": ACCEPT,
    },
    tools={
        "computer": ACCEPT,
        "computer_use_preview": ACCEPT,
        **dict.fromkeys(WEB_SEARCHES, BY_VALUE),
        "code_interpreter": BY_VALUE,
        "file_search": _NO_NAMED,
    },
    includes={
        "message.output_text.logprobs": ACCEPT,
        "web_search_call.action.sources": ACCEPT,
        "code_interpreter_call.outputs": ACCEPT,
    },
)
