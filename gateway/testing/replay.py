"""Play a recorded upstream answer through a dialect, with no network, no clock and no chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.core.translation import Translation
from gateway.errors import GatewayError
from gateway.ids import Ids
from gateway.plugin.dialect import Call, Dialect
from gateway.stream.assembler import Assembler
from gateway.stream.frames import WholeBody
from gateway.stream.sse import DONE, SSEDecoder
from gateway.testing.preparing import Prepared
from gateway.types.events import Event, decode_event
from gateway.types.response import start_response

__all__ = ["CountedIds", "Playback", "plain", "replay"]

_NOW = 1_790_000_000.0  # seconds: some time in 2026
_DONE = DONE.removeprefix(b"data: ").strip()


class CountedIds(Ids):
    """Ids that count, such as `msg_0001`, and a clock that stands still."""

    def __init__(self) -> None:
        super().__init__(lambda: _NOW)
        self._counts: Counter[str] = Counter()

    def mint(self, prefix: str) -> str:
        self._counts[prefix] += 1
        return f"{prefix}_{self._counts[prefix]:04}"


class Playback:
    """One answer to `call` on its way through `dialect`, read just as the engine reads it.

    What the dialect raises that is no `GatewayError` is a bug of the dialect, and comes out.
    """

    def __init__(self, dialect: Dialect, call: Call, *, whole: bool = False) -> None:
        ids = CountedIds()
        prepared = Prepared(dialect, call)
        response = start_response(
            call.request,
            id=ids.mint("resp"),
            model=call.deployment.alias,
            created_at=int(ids.now()),
        )
        self._blocks: list[bytes] = []
        self._translation = Translation(
            WholeBody() if whole else prepared.encode().framing(),
            prepared.translator(),
            Assembler(response, ids.mint, ids.now),
            stream=True,
        )

    def feed(self, chunk: bytes) -> None:
        """Play the bytes that have just arrived; after a failure there is no more to play."""
        if not self._translation.ended:
            try:
                self._blocks.append(self._translation.feed(chunk))
            except GatewayError as error:
                self._blocks.append(self._translation.fail(error))

    def close(self) -> list[Event]:
        """End the answer, and return all that the client got."""
        try:
            self._blocks.append(self._translation.close())
        except GatewayError as error:
            self._blocks.append(self._translation.fail(error))
        self._blocks.append(self._translation.last(self._translation.response))
        frames = SSEDecoder().feed(b"".join(self._blocks))
        return [decode_event(frame.data) for frame in frames if frame.data != _DONE]


def replay(
    dialect: Dialect, call: Call, chunks: Iterable[bytes], *, whole: bool = False
) -> list[Event]:
    """Return the events that a client would see if the upstream answered `call` with `chunks`.

    `whole` says that they are one JSON body and not a stream.
    """
    playback = Playback(dialect, call, whole=whole)
    for chunk in chunks:
        playback.feed(chunk)
    return playback.close()


def plain(events: Sequence[Event]) -> list[Mapping[str, Any]]:
    """Return `events` as their JSON says them: easy to compare, and to read when they differ."""
    return [event if isinstance(event, dict) else event.to_dict() for event in events]
