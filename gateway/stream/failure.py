"""How an error is told in a stream that has already begun."""

from __future__ import annotations

from gateway.errors import GatewayError
from gateway.types.events import Error, ErrorDetail
from gateway.types.response import ResponseError

__all__ = ["error_event", "reported_error", "response_error"]

_RESPONSE_CODES = frozenset(
    (
        "server_error",
        "rate_limit_exceeded",
        "invalid_prompt",
        "data_residency_mismatch",
        "bio_policy",
        "misalignment_policy_violation",
        "vector_store_timeout",
        "invalid_image",
        "invalid_image_format",
        "invalid_base64_image",
        "invalid_image_url",
        "image_too_large",
        "image_too_small",
        "image_parse_error",
        "image_content_policy_violation",
        "invalid_image_mode",
        "image_file_too_large",
        "unsupported_image_media_type",
        "empty_image_file",
        "failed_to_download_image",
        "image_file_not_found",
    )
)
"""All that OpenAI's types allow in `response.error.code`; its SDKs know no others."""


def error_event(error: GatewayError) -> Error:
    """Return the `error` event, flat and nested at once: each client reads one of the two."""
    return Error.of(
        ErrorDetail(type=error.type, code=error.code, message=error.message, param=error.param)
    )


def response_error(error: GatewayError) -> ResponseError:
    """Return what the failed response says, with the code of OpenAI's that comes nearest."""
    return ResponseError(code=_response_code(error), message=error.message)


def reported_error(detail: ErrorDetail) -> ResponseError:
    """Return what the failed response says when an upstream has told the client why itself."""
    code = detail.code if detail.code in _RESPONSE_CODES else None
    return ResponseError(code=code or "server_error", message=detail.message)


def _response_code(error: GatewayError) -> str:
    if error.code in _RESPONSE_CODES:
        return error.code
    if error.status == 429:
        return "rate_limit_exceeded"
    return "invalid_prompt" if error.status in {400, 413, 422} else "server_error"
