"""What becomes of a native upstream's error answers."""

from __future__ import annotations

import pytest

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.plugin import Failure
from gateway_openai.dialect import ResponsesDialect

SHAPED = (
    b'{"error": {"message": "no such thing", "type": "some_type", "param": "input[0]",'
    b' "code": "some_code"}, "more": 1.0}'
)


def error(status: int, body: bytes = SHAPED, **headers: str) -> UpstreamError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ResponsesDialect().error(Failure(status=status, headers=named, body=body))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UpstreamRejectedError),
        (404, UpstreamRejectedError),
        (409, UpstreamRejectedError),
        (422, UpstreamRejectedError),
        (429, UpstreamRateLimitError),
        (500, UpstreamUnavailableError),
        (503, UpstreamUnavailableError),
    ],
)
def test_a_body_of_openais_shape_passes_with_its_status(
    status: int, kind: type[UpstreamError]
) -> None:
    found = error(status)
    assert type(found) is kind
    assert found.status == status
    assert found.body is SHAPED
    assert (found.type, found.code, found.param) == ("some_type", "some_code", "input[0]")
    assert found.message == "no such thing"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_not_the_clients_fault(status: int) -> None:
    body = b'{"error":{"message":"Incorrect API key provided: sk-proj-abc***xyz.","code":"x"}}'
    found = error(status, body)
    assert type(found) is UpstreamAuthenticationError
    assert (found.status, found.code) == (502, "upstream_authentication_error")
    assert found.body is None
    assert "sk-" not in found.message
    assert "xyz" not in found.message


def test_a_bill_that_is_not_paid_is_a_quota() -> None:
    found = error(402)
    assert found.status == 429
    assert found.type == found.code == "insufficient_quota"
    assert found.body is None
    assert found.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "body", [b"", b"<html><b>secret</b></html>", b"[]", b"null", b'{"detail":"no"}', b"\xff"]
)
@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_other_bodies_do_not_pass(status: int, body: bytes) -> None:
    found = error(status, body)
    assert found.body is None
    assert found.message
    assert "secret" not in found.message


def test_a_redirect_is_not_passed_on_whatever_it_says() -> None:
    found = error(307)
    assert found.status == 502
    assert found.body is None


def test_hints_for_a_retry_stay() -> None:
    found = error(429, retry_after="3", retry_after_ms="2500", x_request_id="r")
    assert found.retry_after == 2.5
    assert found.headers == {"retry-after": "3", "retry-after-ms": "2500"}
