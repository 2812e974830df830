"""Converse's answers, read as deltas: the events of a stream, a whole answer, and failures."""

import re
from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from gateway.errors import UpstreamError
from gateway.plugin import EXCEPTION, Delta, Failure, Finished, FinishReason, Frame, Used
from gateway.plugin.failures import read_failure
from gateway.plugin.reports import read_report
from gateway.plugin.usage import count_usage
from gateway.types.response import Usage
from gateway_bedrock.answer import AnswerReader, Json

__all__ = ["ConverseTranslator", "read_error"]

_ENDS: dict[str, FinishReason | None] = {
    **dict.fromkeys(("end_turn", "stop_sequence", "tool_use"), "stop"),
    **dict.fromkeys(("max_tokens", "model_context_window_exceeded"), "max_output_tokens"),
    **dict.fromkeys(("guardrail_intervened", "content_filtered"), "content_filter"),
    **dict.fromkeys(("malformed_model_output", "malformed_tool_use")),
}
_EVENTS = ("contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")
_COUNTS = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
_FAILURES = {  # as far as their status, if they have one, does not say it
    400: "validation",
    403: "expiredtoken incompletesignature invalidclienttokenid missingauthenticationtoken",
    408: "modeltimeout",
    424: "modelstreamerror",
    429: "servicequotaexceeded throttling",
    500: "internalserver",
    503: "modelnotready serviceunavailable",
}
_STATUSES = {name: status for status, names in _FAILURES.items() for name in names.split()}
_NAME = re.compile(r"(?:.*#)?(\w+?)(?:exception)?(?::.*)?", re.DOTALL)
_decode = msgspec.json.Decoder(Json).decode


class ConverseTranslator:
    """Reads one answer; `names` are the client's by those that its functions have at Bedrock."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._answer = AnswerReader(names)

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means. Raises `UpstreamError` if it reports a failure."""
        name = frame.event
        if name and name.startswith(EXCEPTION):
            raise read_error(Failure(status=502, body=frame.data), name.removeprefix(EXCEPTION))
        if name is not None and name not in _EVENTS:
            return
        event = _decode(frame.data)
        index = event.get("contentBlockIndex", 0)
        if piece := event.get("start") or event.get("delta"):
            yield from self._answer.read(index, piece)
        if name == "contentBlockStop":
            yield from self._answer.close(index)
        output: Json = event.get("output") or {"message": {"content": ()}}
        for place, block in enumerate(output["message"]["content"]):
            yield from self._answer.read(place, block)
            yield from self._answer.close(place)
        if usage := event.get("usage"):
            yield Used(_usage(usage))
        if reason := event.get("stopReason"):
            yield from self._answer.close_all()
            yield self._end(reason)

    def _end(self, said: str) -> Finished:
        if (reason := _ENDS.get(said, "stop" if self._answer.began else None)) is None:
            raise UpstreamError(f"bedrock: the model broke off with {said[:40]!r}")
        return Finished(reason)


def read_error(failure: Failure, name: str = "") -> UpstreamError:
    """Say which of our errors `failure` is; its `name` knows better than its status."""
    report = read_report(failure.body)
    name = name or failure.headers.get("x-amzn-errortype") or report.type or report.code or ""
    found = _NAME.fullmatch(name.lower())
    status = _STATUSES.get(found[1], failure.status) if found else failure.status
    return read_failure(replace(failure, status=status), provider="bedrock")


def _usage(reported: Json) -> Usage:
    """Read the tokens; those that the cache gave or took are counted apart from the input."""
    new, answered, cached, written = (reported.get(name) or 0 for name in _COUNTS)
    return count_usage(new + cached + written, answered, cached=cached, written=written)
