"""Rules for how a dialect reads error answers."""

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
from gateway.testing.suite import Suite

__all__ = ["ERRORS", "FailureRules"]

ERRORS: tuple[tuple[int, type[UpstreamError]], ...] = (
    (400, UpstreamRejectedError),
    (401, UpstreamAuthenticationError),
    (429, UpstreamRateLimitError),
    (503, UpstreamUnavailableError),
)
_JUNK_BODIES = (b"", b"<html>busy</html>", b"{}", b'{"error": null}', b"[1]", b"\xff\xfe\x00")


class FailureRules(Suite):
    """What `error` must tell, from the status alone if need be."""

    @pytest.mark.parametrize("body", _JUNK_BODIES)
    @pytest.mark.parametrize(("status", "kind"), ERRORS)
    def test_errors_are_told_apart_whatever_their_body(
        self, status: int, kind: type[UpstreamError], body: bytes
    ) -> None:
        error = self.dialect.error(Failure(status=status, body=body))
        assert isinstance(error, kind), f"status {status} with the body {body!r}"
        assert error.message, f"status {status} with the body {body!r} must be told in words"

    def test_an_error_says_when_to_come_back(self) -> None:
        failure = Failure(status=429, headers={"retry-after": "7"}, body=b"{}")
        assert self.dialect.error(failure).retry_after == 7, "retry-after: 7 must be in retry_after"

    def test_an_error_never_repeats_a_key(self) -> None:
        body = b'{"error": {"message": "Incorrect API key provided: sk-abcdef0123456789"}}'
        for status in (400, 401, 403, 500):
            error = self.dialect.error(Failure(status=status, body=body))
            assert "abcdef0123456789" not in error.message, "take keys out of the upstream's words"
