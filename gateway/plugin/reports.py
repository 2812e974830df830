"""What the body of an upstream's error answer says, in whichever of its many shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec
from msgspec import Struct

__all__ = ["ErrorReport", "read_report", "told_status"]

_LONGEST_MESSAGE = 2000
_UNKNOWN = 502
_NAMES: Mapping[int, str] = {
    400: "bio_policy context_length_exceeded data_residency_mismatch empty_image_file"
    " exceed_context_size_error failed_precondition failed_to_download_image"
    " image_content_policy_violation image_file_not_found image_file_too_large image_parse_error"
    " image_too_large image_too_small invalid_base64_image invalid_image invalid_image_format"
    " invalid_image_mode invalid_image_url invalid_prompt invalid_request invalid_request_error"
    " misalignment_policy_violation out_of_range parameter_unknown unsupported_image_media_type",
    401: "authentication authentication_error",
    402: "billing_error payment_required",
    403: "permission_denied permission_error",
    404: "model_not_found not_found not_found_error",
    413: "request_too_large",
    429: "insufficient_quota quota_exceeded rate_limit_error rate_limit_exceeded too_many_requests",
    503: "overloaded_error service_unavailable",
    504: "deadline_exceeded gateway_timeout timeout_error vector_store_timeout",
}
_STATUSES = {name: status for status, names in _NAMES.items() for name in names.split()}
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


class ErrorReport(Struct, frozen=True, kw_only=True):
    """What an error body says, in whichever of its many shapes; empty where it says nothing.

    `openai_shaped` tells that the body is `{"error": {"message": ...}}`, which any client can read.
    `retry_delay` is in seconds.
    """

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_delay: float | None = None
    openai_shaped: bool = False

    def mentions(self, pattern: re.Pattern[str], /) -> bool:
        return any(pattern.search(text) for text in (self.code, self.type, self.message) if text)


def read_report(body: bytes) -> ErrorReport:
    """Read an error body: OpenAI's shape, the shapes that vendors made of it, or none at all."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ErrorReport()
    if isinstance(value, list) and value:  # Gemini wraps the object in a list
        value = cast("list[Any]", value)[0]
    found = _object(cast("object", value))
    return _read_object(found) if found else ErrorReport()


def told_status(error: object) -> int:
    """Return the HTTP status that an error names which came inside an answer of status 200, by its
    code or its type, or by an address that ends in one; else that of an unknown failure.
    """
    members = _object(error) or {}
    told = (str(members.get(name)) for name in ("status_code", "status", "code", "type"))
    named = [text.rpartition("/")[2].lower() for text in told]
    for text in named:
        if text.isdecimal() and 400 <= int(text) <= 599:
            return int(text)
    return next((_STATUSES[text] for text in named if text in _STATUSES), _UNKNOWN)


def _read_object(body: dict[str, Any]) -> ErrorReport:
    inner = _object(body.get("error"))
    source = inner or body
    message = (
        _text(source.get("message")) or _text(body.get("error")) or _detail(body.get("detail"))
    )
    return ErrorReport(
        message=(message or _text(body.get("Message")) or "")[:_LONGEST_MESSAGE],
        type=_text(source.get("type")),
        code=_code(source),
        param=_text(source.get("param")),
        retry_delay=_retry_delay(source.get("details")),
        openai_shaped=bool(inner) and isinstance(source.get("message"), str),
    )


def _code(source: dict[str, Any]) -> str | None:
    """Return the code unless it only repeats the status (`401`) or is a sentence (xAI)."""
    code = _text(source.get("code"))
    return code if code and not code.isdigit() and " " not in code else None


def _detail(value: object) -> str | None:
    """Read FastAPI's `detail`: a text, or a list of what is wrong where."""
    if not isinstance(value, list):
        return _text(value)
    problems = filter(None, map(_object, cast("list[object]", value)))
    texts = [
        f"{_path(problem.get('loc'))}{_text(problem.get('msg')) or ''}" for problem in problems
    ]
    return "; ".join(filter(None, texts)) or None


def _path(value: object) -> str:
    if not isinstance(value, list):
        return ""
    return ".".join(str(part) for part in cast("list[object]", value)) + ": "


def _retry_delay(details: object) -> float | None:
    """Read Google's `RetryInfo`, whose delay looks like `34s`."""
    if not isinstance(details, list):
        return None
    for detail in cast("list[object]", details):
        delay = (_object(detail) or {}).get("retryDelay")
        if isinstance(delay, str) and (seconds := _SECONDS.fullmatch(delay)):
            return float(seconds[1])
    return None


def _object(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
