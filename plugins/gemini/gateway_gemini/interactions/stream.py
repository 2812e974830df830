"""Answers of the Interactions API, read as deltas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from gateway.errors import UpstreamUnavailableError
from gateway.plugin import (
    Call,
    Delta,
    Finished,
    FinishReason,
    Frame,
    Refusal,
    UpstreamRequest,
)
from gateway_gemini.endings import is_blocked
from gateway_gemini.failures import reading_json, reported_error
from gateway_gemini.interactions.answer import StepReader
from gateway_gemini.interactions.wire import Event, Interaction, read_event
from gateway_gemini.pieces import Pieces

__all__ = ["InteractionsTranslator"]

_ENDINGS: dict[str, FinishReason] = {
    "completed": "stop",
    "requires_action": "stop",
    "incomplete": "max_output_tokens",
    "budget_exceeded": "max_output_tokens",
    "requires_continuation": "max_output_tokens",
}
_FAILURES = ("failed", "cancelled", "queued", "in_progress")
_COUNTS = {
    "promptTokenCount": "total_input_tokens",
    "toolUsePromptTokenCount": "total_tool_use_tokens",
    "cachedContentTokenCount": "total_cached_tokens",
    "candidatesTokenCount": "total_output_tokens",
    "thoughtsTokenCount": "total_thought_tokens",
}


class InteractionsTranslator:
    """Reads the answer to `call`: the events of a stream, or a whole interaction.

    An answer that pauses is continued, by asking once more what was `asked`.
    """

    def __init__(self, call: Call, asked: Callable[[], UpstreamRequest]) -> None:
        self._provider = call.deployment.provider
        self._answer = StepReader(call.request, self._provider)
        self._pieces = Pieces(asked, "continuation_token")

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means. Raises `UpstreamError` after all else that it says."""
        if frame.data == b"[DONE]":
            return
        with reading_json():
            yield from self._read(read_event(frame.data))

    def continuation(self) -> UpstreamRequest | None:
        return self._pieces.ask()

    def _read(self, event: Event) -> Iterator[Delta]:
        match event.event_type if event.error is None else "error":
            case "error":
                yield from self._fail(event.error)
            case "step.start":
                yield from self._answer.start(event.index, event.step)
            case "step.delta":
                yield from self._answer.add(event.index, event.delta)
            case "step.stop":
                yield from self._answer.stop(event.index)
            case "interaction.completed":
                yield from self._finish(event.interaction)
            case "" if event.status:
                for index, step in enumerate(event.steps or ()):
                    yield from self._answer.start(index, step)
                    yield from self._answer.stop(index)
                yield from self._finish(event)
            case _:
                pass

    def _finish(self, told: Interaction) -> Iterator[Delta]:
        if told.usage:
            counts = {name: told.usage.get(theirs) for name, theirs in _COUNTS.items()}
            yield self._pieces.count(counts)
        status = told.status or "completed"
        if status == "requires_continuation" and self._pieces.pause(told.continuation_token):
            yield from self._answer.pause()
            return
        yield from self._answer.close()
        if status in _ENDINGS:
            yield Finished(_ENDINGS[status])
        elif told.errors:
            yield from self._fail(told.errors[0])
        elif status in _FAILURES:
            raise UpstreamUnavailableError(f"gemini's interaction ended as {status}")
        elif self._answer.spoke:
            yield Finished()

    def _fail(self, error: Any) -> Iterator[Delta]:
        """Raise the `error` that was told, unless it is that the answer was blocked."""
        told = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
        code = str(told.get("code")).rpartition("/")[2]
        if not is_blocked(code.upper()):
            raise reported_error(error, self._provider)
        yield from self._answer.close()
        if not self._answer.spoke:
            yield Refusal(str(told.get("message") or f"blocked: {code}"))
        yield Finished("content_filter")
