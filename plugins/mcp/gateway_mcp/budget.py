"""How much a server may send before somebody stops reading."""

from __future__ import annotations

from gateway_mcp.connection import McpProtocolError
from gateway_mcp.messages import INVALID_ANSWER

__all__ = ["Budget"]

_LINE = 64  # bytes, which are read in the time that the begin and end of a line take


class Budget:
    """The bytes that a server may still send. Raises `McpProtocolError` when they are spent."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._left = limit

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise McpProtocolError(
                INVALID_ANSWER, f"the server sent more than the {self.limit} bytes that are read"
            )

    def spend_lines(self, data: bytes) -> None:
        """Spend what the lines of `data` take besides: many short ones hold up everybody else."""
        self.spend(_LINE * data.count(b"\n"))

    def renew(self) -> None:
        self._left = self.limit
