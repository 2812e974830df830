"""What of a request the Interactions API cannot express, although generateContent can."""

from __future__ import annotations

from gateway.plugin.support import reject
from gateway_gemini.support import SUPPORT as GENERATE_CONTENT

__all__ = ["SUPPORT"]

_NO_LOGPROBS = reject("the interactions api tells no log probabilities: gemini/… does")

SUPPORT = GENERATE_CONTENT.but(
    parameters={
        "parallel_tool_calls": reject("gemini makes as many calls as it likes", True),
        "top_logprobs": _NO_LOGPROBS,
    },
    includes={"message.output_text.logprobs": _NO_LOGPROBS},
)
