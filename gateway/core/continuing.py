"""Answers that a provider breaks off, and goes on with when it is asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.core.backends import Opened
from gateway.core.translation import Translation
from gateway.errors import UpstreamProtocolError
from gateway.plugin.dialect import ContinuingTranslator, UpstreamRequest
from gateway.plugin.transport import Answer

__all__ = ["Continuing"]

_MOST = 32  # answers to one call: far more than any translator should want


class Continuing:
    """The answers to one call, as if they were one `Answer`.

    Whenever one has ended, `translator` says what to `ask` for the next, which `translation` reads
    on from there.
    """

    def __init__(
        self,
        first: Answer,
        translation: Translation,
        translator: ContinuingTranslator,
        ask: Callable[[UpstreamRequest], Awaitable[Opened]],
    ) -> None:
        self.status = first.status
        self.headers = first.headers
        self._answer = first
        self._translation = translation
        self._translator = translator
        self._ask = ask
        self._count = 1
        self._whole = False

    @property
    def ended(self) -> bool:
        return self._whole

    async def chunk(self) -> bytes:
        """Return the next bytes of whichever answer is under way. Raises `UpstreamError`."""
        while not self._whole:
            if chunk := await self._answer.chunk():
                return chunk
            self._translation.end_answer()
            request = None if self._translation.over else self._translator.continuation()
            if request is None:
                self._whole = True
            else:
                return await self._go_on(request)
        return b""

    async def body(self) -> bytes:
        chunks: list[bytes] = []
        while chunk := await self.chunk():
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        self._answer.close()

    async def _go_on(self, request: UpstreamRequest) -> bytes:
        if self._count == _MOST:
            raise UpstreamProtocolError(f"the upstream has paused {_MOST} times")
        self._answer.close()
        opened = await self._ask(request)
        self._count += 1
        self._answer = opened.answer
        self._translation.begin_answer(opened.framing(request))
        return opened.first
