"""The translating path: a dialect's deltas, assembled into the events of a response."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.errors import GatewayError, UpstreamError, UpstreamProtocolError
from gateway.plugin.dialect import Translator
from gateway.plugin.transport import Answer
from gateway.stream.assembler import Assembler
from gateway.stream.frames import Frame, Framing
from gateway.stream.sse import DONE, encode_frames
from gateway.types.events import Event
from gateway.types.response import Response, Usage

__all__ = ["Part", "Translation"]

_END = b"[DONE]"


class Translation:
    """One upstream answer on its way to being a stream of events: bytes in, blocks of whole
    frames out.

    It has the surface of `Relay`, but for the terminal event, which `last` gives when the response
    has been kept. A whole answer is the same stream, drained: `response` is its result, and
    without `stream` the blocks are empty.
    """

    def __init__(
        self, framing: Framing, translator: Translator, assembler: Assembler, *, stream: bool
    ) -> None:
        self._framing = framing
        self._translator = translator
        self._assembler = assembler
        self._stream = stream
        self._started = False
        self._spoken = False
        self._events: list[Event] = []
        self.ended = False
        self.failure: GatewayError | None = None

    @property
    def response(self) -> Response:
        return self._assembler.response

    @property
    def outcome(self) -> str:
        return self.response.status or "failed"

    @property
    def over(self) -> bool:
        return self.ended

    @property
    def usage(self) -> Usage | None:
        return self.response.usage

    async def begin(self, first: bytes, answer: Answer) -> bytes:
        """Return the events up to the first thing that the provider says; `first` are the bytes
        that `answer` begins with.

        Raises `UpstreamError` if it reports a failure before it has said anything: then another
        deployment may answer in its place. A later failure is part of the answer.
        """
        block, chunk = b"", first
        while True:
            try:
                block += self.feed(chunk) if chunk else self.close()
            except UpstreamError as error:
                if self._spoken and self._stream:
                    return block + self.fail(error)
                raise
            if self._spoken or self.ended or not self._stream:
                return block
            try:
                chunk = await answer.chunk()
            except UpstreamError as error:
                return block + self.fail(error)

    def feed(self, chunk: bytes) -> bytes:
        """Return the events that `chunk` brings about. Raises `UpstreamError` if it reports a
        failure; then `fail` returns the events of what came before it, too.
        """
        self._start()
        self._read(self._framing.feed(chunk))
        return self._write()

    def close(self) -> bytes:
        """Return what the end of the answer brings about: a failure if it had no end of its own."""
        self._start()
        self.end_answer()
        self._finish()
        return self._write()

    def end_answer(self) -> None:
        """Read what the end of an answer completes. Raises `UpstreamError` like `feed`."""
        self._read(self._framing.close())

    def begin_answer(self, framing: Framing) -> None:
        """Read on in another answer, which continues the one that has ended."""
        self._framing = framing

    async def drain(self, answer: Answer) -> None:
        """Read the whole `answer`. Raises `UpstreamError` if it fails on the way."""
        try:
            while chunk := await answer.chunk():
                self.feed(chunk)
            self.close()
        except UpstreamError as error:
            self.fail(error)
        if isinstance(self.failure, UpstreamError):
            self.failure.begun = True
            raise self.failure

    def fail(self, error: GatewayError) -> bytes:
        """Return the events of a failure; nothing new if the response has ended already."""
        if self.ended:
            return self._write()
        self._start()
        if self._assembler.finished:  # only what comes after the end marker is missing
            self._finish()
        else:
            self.ended, self.failure = True, error
            self._events += self._assembler.conclude(error)
        return self._write()

    def last(self, response: Response) -> bytes:
        """Return the terminal event, with `response` as it is told to the client; once only."""
        self._events += self._assembler.terminal(response)
        block = self._write()
        return block + DONE if block else b""

    def refuse(self, error: GatewayError) -> bytes:
        """Tell, in place of the terminal event that is due, that the response failed after all."""
        self.failure = error
        self._events += self._assembler.refuse(error)
        return self._write() + DONE

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._events += self._assembler.start()

    def _read(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if self.ended:
                break
            try:
                for delta in self._translator.feed(frame):
                    if events := self._assembler.feed(delta):
                        self._spoken = True
                        self._events += events
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise UpstreamProtocolError(
                    f"the upstream sent an unreadable frame: {error}"
                ) from error
            if frame.data == _END:
                self._finish()

    def _finish(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._events += self._assembler.conclude()
        if self.outcome == "failed":
            self.failure = UpstreamProtocolError("the upstream's answer was cut short")

    def _write(self) -> bytes:
        """Return the events since the last block. A failure must not lose those before it."""
        events, self._events = self._events, []
        if not self._stream or not events:
            return b""
        return encode_frames(events)


class Part(Translation):
    """One of several answers that make one response: whoever owns the assembler begins it, and
    ends it. `failure` says why an answer broke off.
    """

    def fail(self, error: GatewayError) -> bytes:
        self.ended, self.failure = True, error
        return self._write()

    def _start(self) -> None:
        pass

    def _finish(self) -> None:
        self.ended = True
