"""Chat Completions answers, read as deltas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.errors import UpstreamError, UpstreamProtocolError, UpstreamUnavailableError
from gateway.plugin import Delta, Finished, Frame, Logprobs, Used
from gateway.types.request import Request
from gateway_chat.answer import AnswerReader
from gateway_chat.endings import BREAKDOWNS, FINISH_REASONS
from gateway_chat.failures import reported_failure
from gateway_chat.quirks import Quirks
from gateway_chat.usage import read_usage
from gateway_chat.wire import Choice, Message, read_chunk

__all__ = ["ChatTranslator"]

_DONE = b"[DONE]"


class ChatTranslator:
    """Reads one answer, be it a stream of chunks or a whole `chat.completion` in one frame.

    `provider` is named in the messages of errors. `request` is what is answered; an answer may
    refer to what its tools have found.
    """

    def __init__(self, quirks: Quirks, provider: str = "", request: Request | None = None) -> None:
        self._provider = provider
        self._answer = AnswerReader(quirks, request)
        self._spoke = False
        self._finished = False

    def feed(self, frame: Frame, /) -> Iterable[Delta]:
        """Say what `frame` means.

        Raises `UpstreamError` if it is not a JSON object, and, after all else that it says, if it
        reports a failure.
        """
        deltas: list[Delta] = []
        if frame.data == _DONE:
            if self._spoke and not self._finished:
                self._finish("stop", deltas)
            return deltas
        chunk = read_chunk(frame.data)
        if chunk.citations or chunk.search_results:
            self._answer.read_sources(chunk)
        failure = None
        # OpenRouter may add an error to an answer that has ended: what came before it is whole.
        if not self._finished:
            failure = reported_failure(frame, chunk, self._provider)
            for choice in chunk.choices or ():
                if not choice.index:
                    failure = self._read_choice(choice, deltas, failure)
        reported = chunk.usage or (chunk.x_groq and chunk.x_groq.usage)
        if reported and (usage := read_usage(reported)):
            deltas.append(Used(usage))
        return _raising(deltas, failure) if failure else deltas

    def _read_choice(
        self, choice: Choice, deltas: list[Delta], failure: UpstreamError | None
    ) -> UpstreamError | None:
        """Read `choice` and return how the answer failed, if it did."""
        message = choice.delta if choice.message is None else self._message(choice)
        if choice.logprobs and choice.logprobs.content and not _only_thinks(message):
            deltas.append(Logprobs(choice.logprobs.content))
        if message:
            self._answer.read(message, deltas)
            if not self._spoke:
                self._spoke = bool(deltas or message.content or message.tool_calls)
        if failure or self._finished or not choice.finish_reason:
            return failure
        return self._finish(choice.finish_reason, deltas)

    def _message(self, choice: Choice) -> Message | None:
        """Return what is new in `choice`: some servers send a `delta` and a `message` with it."""
        delta = choice.delta
        if self._spoke or (delta and (delta.content or delta.tool_calls)):
            return delta  # Perplexity repeats the answer so far beside each delta
        return choice.message

    def _finish(self, said: str, deltas: list[Delta]) -> UpstreamError | None:
        """End the answer; return the failure, if that is what `said` means."""
        self._finished = True
        self._answer.close(deltas)
        who, reason = self._provider or "the upstream", said.lower().partition(":")[0]
        if reason in BREAKDOWNS:
            return UpstreamUnavailableError(f"{who} broke off with finish_reason {said[:40]!r}")
        known = FINISH_REASONS.get(reason)
        if known is None and not self._spoke:
            return UpstreamProtocolError(
                f"{who} ended without output, with the unknown finish_reason {said[:40]!r}"
            )
        deltas.append(Finished(known or "stop"))
        return None


def _only_thinks(message: Message | None) -> bool:
    """Say whether the tokens of `message` are all of reasoning, of which nobody wants to know."""
    if message is None or message.content:
        return False
    return bool(message.reasoning_content or message.reasoning or message.reasoning_text)


def _raising(deltas: list[Delta], failure: UpstreamError) -> Iterator[Delta]:
    """Tell what came along with a failure before the failure itself: text and usage count."""
    yield from deltas
    raise failure
