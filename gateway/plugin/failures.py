"""What an upstream's error answer means: the one table from statuses and bodies to our errors.

Dialects call `read_failure`; one with facts of its own (a vendor's header, say) adds to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.plugin.dialect import Failure
from gateway.plugin.reports import ErrorReport, read_report

__all__ = ["read_failure", "retry_after", "seconds_until"]

_KINDS: Mapping[int, type[UpstreamError]] = {
    401: UpstreamAuthenticationError,
    402: UpstreamRateLimitError,
    403: UpstreamAuthenticationError,
    408: UpstreamTimeoutError,
    424: UpstreamUnavailableError,
    429: UpstreamRateLimitError,
    499: UpstreamUnavailableError,  # Azure's provisioned throughput, when it sheds load
    504: UpstreamTimeoutError,
    524: UpstreamTimeoutError,  # Cloudflare's
}
_ABOUT_THE_REQUEST = frozenset({400, 413, 422})
_OVERLOADED = frozenset({499, 503, 529})
_RETRY_HEADERS = ("retry-after", "retry-after-ms", "x-should-retry")

_CONTEXT_LENGTH = re.compile(
    r"context_length_exceeded|maximum context length|max context length|prompt is too long"
    r"|exceed context limit|exceeds the maximum number of tokens allowed|input token count"
    r"|input is too long|exceeds the available context size"
    r"|is longer than the model's context length|maximum input length is"
    r"|current length is .{0,40}while limit is|input too long: .{0,40}input tokens, limit is"
    r"|`inputs` tokens \+ `max_new_tokens`",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient_quota|exceeded your current quota|insufficient (credit|balance|funds)"
    r"|credit balance is too low|billing_hard_limit"
    r"|reached your (specified )?(api usage|spend(ing)?) limit",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"(incorrect|invalid)[ _](x-)?api[ _-]?key", re.IGNORECASE)
_SECRETS = re.compile(
    r"\b(?:sk|pk|rk|xai|gsk|hf|csk|nvapi|tgp|pplx|fw)[-_][\w*.-]{6,}"
    r"|\b(?:AIza|AKIA)[\w-]{8,}|\bBearer\s+\S+|[^\s*]{0,64}\*{3,}\S*"
)
_ADDRESSES = re.compile(r"https?://[^\s\"'<>)]+|\barn:[\w:/.-]+")


def read_failure(failure: Failure, *, provider: str = "") -> UpstreamError:
    """Say which of our errors `failure` is; copes with any status and any body.

    The message names `provider`, if given, and keeps the upstream's own words, less what looks
    like a key, a URL or an ARN. Retry hints are in `retry_after` and, as they came, in `headers`.
    """
    report = read_report(failure.body)
    kind = _kind(failure.status, report)
    if kind is UpstreamAuthenticationError:
        error = kind(_accusation(failure.status, report, provider))
    else:
        error = kind(_words(failure.status, report, provider))
    if isinstance(error, UpstreamRejectedError):
        _specify(error, failure.status, report)
    if isinstance(error, UpstreamUnavailableError) and failure.status not in _OVERLOADED:
        error.status, error.code = 502, "upstream_error"
    _add_retry_hints(error, failure, report)
    return error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait in seconds that an answer asks for, or None.

    An HTTP date is counted from the answer's own `date`, so that no clock of ours is needed.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    return seconds_until(text, headers)


def seconds_until(moment: str | None, headers: Mapping[str, str]) -> float | None:
    """Return how long after the `date` of an answer a `moment` is that it names, or None.

    Both are dates as HTTP or as ISO 8601 writes them.
    """
    until, now = _date(moment), _date(headers.get("date"))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _kind(status: int, report: ErrorReport) -> type[UpstreamError]:
    if status < 400:
        return UpstreamProtocolError
    if status in _ABOUT_THE_REQUEST and report.mentions(_CONTEXT_LENGTH):
        return UpstreamRejectedError
    if status < 500 and report.mentions(_QUOTA):
        return UpstreamRateLimitError
    if status == 400 and report.mentions(_BAD_KEY):  # xAI answers 400 to a wrong key
        return UpstreamAuthenticationError
    return _KINDS.get(status, UpstreamUnavailableError if status >= 500 else UpstreamRejectedError)


def _specify(error: UpstreamRejectedError, status: int, report: ErrorReport) -> None:
    error.status, error.code, error.param = status, report.code, report.param
    if report.code != "string_above_max_length" and report.mentions(_CONTEXT_LENGTH):
        error.status, error.code, error.param = 400, "context_length_exceeded", "input"
    elif status == 413:
        error.code = "request_too_large"


def _accusation(status: int, report: ErrorReport, provider: str) -> str:
    who = provider or "the provider"
    text = f"{who} refused the gateway's key with status {status}; check the deployment's api_key"
    # Vendors like to quote most of the key that they refuse.
    if not report.message or _SECRETS.search(report.message):
        return text
    return f"{text}: {_clean(report.message)}"


def _words(status: int, report: ErrorReport, provider: str) -> str:
    if report.message:
        return f"{provider}: {_clean(report.message)}" if provider else _clean(report.message)
    who = provider or "the provider"
    if 300 <= status < 400:
        return f"{who} answered with a redirect ({status}); set base_url to its final address"
    return f"{who} answered with status {status} and no readable error message"


def _clean(text: str) -> str:
    return _ADDRESSES.sub("(address removed)", _SECRETS.sub("***", text))


def _add_retry_hints(error: UpstreamError, failure: Failure, report: ErrorReport) -> None:
    error.retry_after = retry_after(failure.headers)
    headers = {name: failure.headers[name] for name in _RETRY_HEADERS if name in failure.headers}
    if error.retry_after is None and report.retry_delay is not None:
        error.retry_after = report.retry_delay
        headers["retry-after"] = str(math.ceil(report.retry_delay))
    if isinstance(error, UpstreamRateLimitError) and (
        failure.status == 402 or report.mentions(_QUOTA)
    ):
        error.type = error.code = "insufficient_quota"
        headers["x-should-retry"] = "false"
    error.headers = headers


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str | None) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = read(text or "")
        except ValueError:
            continue
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    return None
