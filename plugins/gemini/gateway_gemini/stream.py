"""Answers of generateContent, read as deltas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest

from msgspec.structs import asdict

from gateway.plugin import Call, Delta, Finished, Frame, Logprobs, UpstreamRequest
from gateway.types.content import Logprob, TopLogprob
from gateway_gemini.answer import AnswerReader
from gateway_gemini.endings import CONTINUATION, read_ending
from gateway_gemini.failures import reading_json, reported_error
from gateway_gemini.pieces import Pieces
from gateway_gemini.wire import Candidate, Chunk, LogprobsResult, Token, read_chunks

__all__ = ["GeminiTranslator"]

_IMPOSSIBLE = -9999.0  # what OpenAI says for the logarithm of nothing


class GeminiTranslator:
    """Reads the answer to `call`: a stream of chunks, a list of them, or a whole answer.

    An answer that pauses is continued, by asking once more what was `asked`.
    """

    def __init__(self, call: Call, asked: Callable[[], UpstreamRequest]) -> None:
        self._provider = call.deployment.provider
        self._answer = AnswerReader(call.request)
        self._pieces = Pieces(asked, "continuationToken")

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        """Say what `frame` means. Raises `UpstreamError` after all else that it says."""
        with reading_json():
            for chunk in read_chunks(frame.data):
                yield from self._read(chunk)

    def continuation(self) -> UpstreamRequest | None:
        return self._pieces.ask()

    def _read(self, chunk: Chunk) -> Iterator[Delta]:
        if chunk.error is not None:
            raise reported_error(chunk.error, self._provider)
        if chunk.usage_metadata:
            yield self._pieces.count(chunk.usage_metadata)
        for candidate in chunk.candidates or ():
            if not candidate.index:
                yield from self._read_candidate(candidate)
        feedback = chunk.prompt_feedback
        if feedback and feedback.block_reason and not chunk.candidates:
            words = feedback.block_reason_message or f"blocked: {feedback.block_reason}"
            yield from self._answer.refuse(words)
            yield Finished("content_filter")

    def _read_candidate(self, candidate: Candidate) -> Iterator[Delta]:
        self._answer.grounds.read(candidate.grounds)
        if candidate.logprobs_result:
            yield Logprobs(tuple(_read_logprobs(candidate.logprobs_result)))
        for part in (candidate.content and candidate.content.parts) or ():
            yield from self._answer.read(part)
        if reason := candidate.finish_reason:
            yield from self._finish(reason, candidate)

    def _finish(self, said: str, candidate: Candidate) -> Iterator[Delta]:
        if said == CONTINUATION and self._pieces.pause(candidate.continuation_token):
            return
        yield from self._answer.close()
        reason = read_ending(said, candidate.finish_message, spoke=self._answer.spoke)
        if reason == "content_filter" and not self._answer.spoke:
            yield from self._answer.refuse(candidate.finish_message or f"blocked: {said}")
        yield Finished(reason)


def _read_logprobs(result: LogprobsResult) -> Iterator[Logprob]:
    """Yield the tokens of the text, each with those that it was chosen from, if these are told."""
    for chosen, top in zip_longest(result.chosen_candidates or (), result.top_candidates or ()):
        if chosen:
            others = tuple(map(_read_token, (top and top.candidates) or ()))
            yield Logprob(**asdict(_read_token(chosen)), top_logprobs=others)


def _read_token(told: Token) -> TopLogprob:
    token = told.token or ""
    logprob = max(_IMPOSSIBLE, float(told.log_probability or 0))
    return TopLogprob(token=token, logprob=logprob, bytes=tuple(token.encode()))
