"""Chat Completions answers, read as deltas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.errors import UpstreamProtocolError, UpstreamUnavailableError
from gateway.plugin import (
    Annotation,
    Delta,
    Finished,
    FinishReason,
    Frame,
    Item,
    Logprobs,
    Refusal,
    Text,
    Thought,
    Used,
)
from gateway.types.content import UrlCitation
from gateway.types.items import CustomToolCall
from gateway_chat.calls import CallReader
from gateway_chat.failures import reported_failure
from gateway_chat.quirks import Quirks
from gateway_chat.reasoning import ReasoningState
from gateway_chat.think_tags import TagSplitter
from gateway_chat.usage import read_usage
from gateway_chat.wire import Choice, Message, Part, read_chunk

__all__ = ["BREAKDOWNS", "FINISH_REASONS", "ChatTranslator"]

FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "eos": "stop",  # Together
    "length": "max_output_tokens",
    "model_length": "max_output_tokens",  # Mistral
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
BREAKDOWNS = frozenset({"error", "network_error", "insufficient_system_resource"})

_DONE = b"[DONE]"
_SILENCE = Message()


class ChatTranslator:
    """Reads one answer, be it a stream of chunks or a whole `chat.completion` in one frame.

    `provider` is named in the messages of errors.
    """

    def __init__(self, quirks: Quirks, provider: str = "") -> None:
        self._provider = provider
        self._calls = CallReader()
        self._details = ReasoningState(keep_text=False)
        self._splitter = None if quirks.think_tags == "none" else TagSplitter(quirks.think_tags)
        self._spoke = False
        self._finished = False

    def feed(self, frame: Frame, /) -> list[Delta]:
        """Say what `frame` means.

        Raises `UpstreamError` if it reports a failure, and if it is not a JSON object.
        """
        deltas: list[Delta] = []
        if frame.data == _DONE:
            if self._spoke:
                self._finish("stop", deltas)
            return deltas
        chunk = read_chunk(frame.data)
        # OpenRouter may add an error to an answer that has ended: what came before it is whole.
        if not self._finished and (failure := reported_failure(frame, chunk, self._provider)):
            raise failure
        for choice in chunk.choices or ():
            if choice.index == 0:
                self._read_choice(choice, deltas)
        if usage := chunk.usage or (chunk.x_groq and chunk.x_groq.usage):
            deltas.append(Used(read_usage(usage)))
        return deltas

    def _read_choice(self, choice: Choice, deltas: list[Delta]) -> None:
        message = self._message(choice)
        self._read_reasoning(message, deltas)
        if message.content or message.tool_calls or choice.finish_reason:
            self._end_reasoning(deltas)
        if choice.logprobs and choice.logprobs.content:
            deltas.append(Logprobs(choice.logprobs.content))
        if message.content:
            deltas.extend(self._calls.flush())
            self._read_content(message.content, deltas)
        if message.refusal:
            deltas.append(Refusal(message.refusal))
        if message.annotations:
            deltas.extend(_annotations(message))
        self._read_calls(message, deltas)
        self._spoke = self._spoke or bool(deltas or message.content or message.tool_calls)
        if choice.finish_reason:
            self._finish(choice.finish_reason, deltas)

    def _message(self, choice: Choice) -> Message:
        """Return what is new in `choice`: some servers send a `delta` and a `message` with it."""
        if choice.message is None:
            return choice.delta or _SILENCE
        delta = choice.delta
        if self._spoke or (delta and (delta.content or delta.tool_calls)):
            return delta or _SILENCE  # Perplexity repeats the answer so far beside each delta
        return choice.message

    def _read_reasoning(self, message: Message, deltas: list[Delta]) -> None:
        text = message.reasoning_content or message.reasoning
        if message.reasoning_details:
            self._details.add_details(message.reasoning_details)
            text = text or "".join(map(_detail_text, message.reasoning_details))
        if text:
            deltas.append(Thought(text, kind=self._details.kind))

    def _end_reasoning(self, deltas: list[Delta]) -> None:
        if carrier := self._details.take():
            deltas.append(Thought(carrier=carrier, kind=self._details.kind))

    def _read_content(self, content: str | tuple[Part, ...], deltas: list[Delta]) -> None:
        if not isinstance(content, str):
            deltas.extend(delta for part in content for delta in _read_part(part))
        elif self._splitter:
            deltas.extend(self._splitter.feed(content))
        else:
            deltas.append(Text(content))

    def _read_calls(self, message: Message, deltas: list[Delta]) -> None:
        if message.tool_calls:
            deltas.extend(self._calls.read(message.tool_calls))
            deltas.extend(
                Item(
                    CustomToolCall(call_id=call.id, name=call.custom.name, input=call.custom.input)
                )
                for call in message.tool_calls
                if call.custom and call.id
            )
        if message.function_call:
            deltas.extend(self._calls.read_legacy(message.function_call))

    def _finish(self, reason: str, deltas: list[Delta]) -> None:
        if self._finished:
            return
        self._finished = True
        if self._splitter:
            deltas.extend(self._splitter.close())
        deltas.extend(self._calls.flush())
        if reason in BREAKDOWNS:
            raise UpstreamUnavailableError(
                f"{self._provider or 'the upstream'} broke off with finish_reason {reason!r}"
            )
        known = FINISH_REASONS.get(reason)
        if known is None and not self._spoke:
            raise UpstreamProtocolError(
                f"{self._provider or 'the upstream'} ended without output, with the unknown"
                f" finish_reason {reason[:40]!r}"
            )
        deltas.append(Finished(known or "stop"))


def _read_part(part: Part) -> list[Delta]:
    match part:
        case Part(type="thinking", thinking=str(text)) if text:
            return [Thought(text)]
        case Part(type="thinking", thinking=tuple(parts)):
            return [Thought(inner.text) for inner in parts if inner.text]
        case Part(text=str(text)) if text:
            return [Text(text)]
        case _:
            return []


def _detail_text(detail: dict[str, Any]) -> str:
    text = detail.get("text") or detail.get("summary")
    return text if isinstance(text, str) else ""


def _annotations(message: Message) -> list[Delta]:
    return [
        Annotation(
            UrlCitation(
                url=citation.url,
                title=citation.title,
                start_index=citation.start_index,
                end_index=citation.end_index,
            )
        )
        for annotation in message.annotations or ()
        if (citation := annotation.url_citation)
    ]
