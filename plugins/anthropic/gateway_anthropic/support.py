"""What of a request Anthropic can express; what varies is in check.py."""

from __future__ import annotations

from gateway.plugin import Support
from gateway.plugin.support import ACCEPT, BY_VALUE, FUNCTIONS_ONLY, WEB_SEARCHES, drop, reject
from gateway_anthropic.request import TIERS

__all__ = ["SUPPORT"]

_CARRIED = Support(reason="it goes back as it came, in the reasoning item beside it, or not at all")
_NO_LOGPROBS = reject("the upstream gives no log probabilities")

SUPPORT = FUNCTIONS_ONLY.but(
    parameters={
        **dict.fromkeys(("temperature", "top_p", "max_tool_calls"), BY_VALUE),
        "prompt_cache_options": BY_VALUE,
        **dict.fromkeys(("prompt_cache_retention", "safety_identifier", "user"), ACCEPT),
        "service_tier": reject("the upstream has no such tier", *TIERS),
        "top_logprobs": _NO_LOGPROBS,
    },
    details={
        **dict.fromkeys(("reasoning.summary", "reasoning.generate_summary"), BY_VALUE),
        "reasoning.context": drop("the upstream decides itself", "auto"),
        "reasoning.mode": reject("the upstream knows no such mode", "standard"),
        "tools[].async": reject("the upstream waits for its tools"),
    },
    items={
        **dict.fromkeys(("computer_call", "computer_call_output"), BY_VALUE),
        **dict.fromkeys(("web_search_call", "code_interpreter_call"), _CARRIED),
    },
    tools={
        **dict.fromkeys(("computer", "computer_use_preview", "code_interpreter"), BY_VALUE),
        **dict.fromkeys(WEB_SEARCHES, BY_VALUE),
    },
    includes={
        "message.output_text.logprobs": _NO_LOGPROBS,
        "web_search_call.action.sources": ACCEPT,
        "code_interpreter_call.outputs": ACCEPT,
    },
)
