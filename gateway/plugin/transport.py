"""The transport contract: how upstream requests leave and answers come back.

The core's own transport is aiohttp; a provider whose backend is not HTTP brings another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gateway.plugin.deployment import Timeouts
from gateway.plugin.dialect import UpstreamRequest

__all__ = ["Answer", "Transport"]


class Answer(Protocol):
    """An upstream answer whose headers have come; header names are in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def ended(self) -> bool:
        """Whether the whole body has come and has been read; False if that is not known yet."""
        ...

    async def chunk(self) -> bytes:
        """Return the next bytes of the body as they arrive, or `b""` at its end.

        Raises `UpstreamTimeoutError` after the idle timeout and `UpstreamProtocolError` if the
        connection breaks before the body's end.
        """
        ...

    async def body(self) -> bytes:
        """Return all that is left of the body."""
        ...

    def close(self) -> None:
        """Let go of the answer. An unfinished one is cancelled: its connection is closed at
        once.
        """
        ...


class Transport(Protocol):
    """Sends upstream requests."""

    async def send(self, request: UpstreamRequest, timeouts: Timeouts, /) -> Answer:
        """Send `request` and return the answer once its headers are here.

        Never follows redirects. Raises `UpstreamUnreachableError` and `UpstreamTimeoutError`.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
