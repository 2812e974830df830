"""A response on its way to whoever makes it in the background."""

from __future__ import annotations

from typing import Self

from gateway.core.pump import Pump
from gateway.core.tool_loop.loop import ToolLoop
from gateway.core.translation import Translation
from gateway.types.response import Response

__all__ = ["Made"]


class Made:
    """A response that is being made: blocks of whole events, and the response so far."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    @property
    def response(self) -> Response:
        """The response so far; after the last block, as it is to be kept."""
        assert isinstance(self._pump.writer, Translation | ToolLoop)
        return self._pump.writer.response

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pump)

    async def aclose(self) -> None:
        await self._pump.aclose()
