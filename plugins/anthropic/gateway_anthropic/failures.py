"""Anthropic's errors and rate limits."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gateway.errors import UpstreamError, UpstreamRateLimitError
from gateway.plugin import Failure
from gateway.plugin.failures import read_failure, seconds_until

__all__ = ["rate_limits", "read_error"]

_PREFIX = "anthropic-ratelimit-"


def read_error(failure: Failure) -> UpstreamError:
    """Say which of our errors an answer with an error status is, rate limits included."""
    error = read_failure(failure)
    limits = rate_limits(failure.headers)
    used_up = [name for name, left in limits.items() if "-remaining-" in name and left == "0"]
    resets = [limits.get(name.replace("remaining", "reset")) for name in used_up]
    waits = [int(reset.removesuffix("s")) for reset in resets if reset]
    if isinstance(error, UpstreamRateLimitError) and error.retry_after is None and waits:
        error.retry_after = max(waits)
        limits["retry-after"] = str(max(waits))
    error.headers = {**limits, **error.headers}
    return error


def rate_limits(headers: Mapping[str, str]) -> dict[str, str]:
    """Return Anthropic's rate limits as OpenAI's headers, which tell the time until a reset.

    That takes the answer's own `date`, so that no clock of ours is needed.
    """
    limits: dict[str, str] = {}
    for name, value in headers.items():
        counted, _, what = name.removeprefix(_PREFIX).rpartition("-")
        told = value
        if what == "reset":
            left = seconds_until(value, headers)
            told = "" if left is None else f"{math.ceil(left)}s"
        if name.startswith(_PREFIX) and counted and told:
            limits[f"x-ratelimit-{what}-{counted}"] = told
    return limits
