"""How often, how long and how many: the numbers of the work in the background."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from msgspec import Struct

__all__ = ["Pace", "pause"]


class Pace(Struct, frozen=True, kw_only=True):
    """All in seconds, but for `workers`, which counts the responses that one process makes at once.

    A response that waits in line has the lock of its conversation for `queue` at most.
    A node that has not been heard of for `lease` is taken for dead. `beat` is how often it is heard
    of, and asks which of its responses somebody wants cancelled; `poll` how often it looks for work
    that others have left. Events are written every `batch`. A follower of another node's work asks
    every `first_look`, and ever less often, down to every `last_look`. `patience` is how long a
    cancellation waits for the node that has the work. Work may go on for `drain` when the process
    stops, and may then take `farewell` to say how it ended.
    """

    workers: int = 64
    queue: float = 600.0
    lease: float = 30.0
    beat: float = 1.0
    poll: float = 1.0
    batch: float = 0.075
    first_look: float = 0.1
    last_look: float = 1.0
    patience: float = 5.0
    drain: float = 30.0
    farewell: float = 5.0


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for `event`, but not longer than `seconds`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
