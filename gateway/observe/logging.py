"""One log line for each finished request, and a last guard against keys in any line.

This module is a plugin: hand it to `Plugins(extra=…)`, and call `configure` once in the process.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator

from gateway.config import Config
from gateway.plugin import Observer, RequestRecord, hookimpl

__all__ = ["MaskingFormatter", "RequestLog", "configure", "gateway_observers"]

_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_DATE = "%Y-%m-%dT%H:%M:%S%z"
_LONGEST_VALUE = 200
_PLAIN = re.compile(r"[\w.:/*@+-]+")
_CREDENTIAL = re.compile(r"(?i)\b(bearer\s+|api[-_]key[\"']?\s*[:=]\s*[\"']?)[^\s\"',]{4,}")
_SHAPED_LIKE_A_KEY = re.compile(r"\b(sk-|gsk_|xai-|hf_|AIza)[\w-]{8,}")


class MaskingFormatter(logging.Formatter):
    """Replaces what looks like a key, in tracebacks too, which no `logging.Filter` sees."""

    def format(self, record: logging.LogRecord) -> str:
        line = _CREDENTIAL.sub(r"\1***", super().format(record))
        return _SHAPED_LIKE_A_KEY.sub(r"\1***", line)


class RequestLog:
    """An observer that writes `key=value` pairs: no prompt, no output, no key."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def finished(self, record: RequestRecord, /) -> None:
        level = logging.WARNING if _is_failure(record) else logging.INFO
        if self._logger.isEnabledFor(level):
            pairs = " ".join(f"{name}={_quoted(value)}" for name, value in _facts(record))
            self._logger.log(level, "%s", pairs)


@hookimpl
def gateway_observers(config: Config) -> Iterable[Observer]:
    return (RequestLog(logging.getLogger("gateway.requests")),)


def configure(level: str) -> None:
    """Send log lines to stderr: the gateway's from `level` on, other libraries' warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter(_LINE, _DATE))
    logging.getLogger().addHandler(handler)
    logging.getLogger("gateway").setLevel(level.upper())


def _is_failure(record: RequestRecord) -> bool:
    return record.status >= 500 or (record.status == 200 and record.outcome == "failed")


def _facts(record: RequestRecord) -> Iterator[tuple[str, object]]:
    yield "id", record.request_id
    yield "tenant", record.tenant
    yield "operation", record.operation
    yield "model", record.model
    if record.provider:
        yield "upstream", f"{record.provider}/{record.upstream_model}"
    yield "stream", str(record.stream).lower()
    yield "status", record.status
    yield "outcome", record.outcome
    if record.error_code:
        yield "error", record.error_code
    yield "attempts", record.attempts
    if record.first_byte_seconds is not None:
        yield "first_byte_ms", round(record.first_byte_seconds * 1000)
    yield "ms", round(record.seconds * 1000)
    if record.usage:
        yield "input_tokens", record.usage.input_tokens
        yield "output_tokens", record.usage.output_tokens


def _quoted(value: object) -> str:
    """Return `value` so that a client's model name can neither forge a pair nor a line."""
    text = str(value)[:_LONGEST_VALUE]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
