"""One request on its way through the engine."""

from __future__ import annotations

from msgspec import Struct

from gateway.core.intake import Intake
from gateway.core.tool_loop.runners import Claim
from gateway.core.trace import Trace
from gateway.core.turn import Turn

__all__ = ["Order"]


class Order(Struct, frozen=True):
    """A request and what is known of it: its place in what is kept, if it has one, and the tools
    that the gateway runs for it.
    """

    intake: Intake
    trace: Trace
    turn: Turn | None
    claims: tuple[Claim, ...] = ()

    def abandon(self) -> None:
        """Let others go on with the conversation."""
        if self.turn is not None:
            self.turn.abandon()
