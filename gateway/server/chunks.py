"""The chunks of a body in HTTP/1.1, without the steps that h11 takes for each."""

from __future__ import annotations

import h11
from hypercorn.events import RawData
from hypercorn.protocol.events import Body, Response
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import H11Protocol

__all__ = ["Chunks"]


class Chunks:
    """Stands before the `stream_send` of hypercorn's HTTP/1.1: writes chunks, passes on the rest.

    h11 checks and assembles each chunk of a stream, which is nearly a fourth of all that the
    gateway spends on one event. Only what it would send as a chunk too is written here; the head
    and the end of an answer, and so all of its state, stay with h11.
    """

    def __init__(self, protocol: H11Protocol) -> None:
        self._protocol = protocol
        self._pass_on = protocol.stream_send
        self._chunked = False

    async def send(self, event: StreamEvent) -> None:
        if type(event) is Body and self._takes(event):
            data = b"%x\r\n%b\r\n" % (len(event.data), event.data)
            await self._protocol.send(RawData(data=data))
            return
        if isinstance(event, Response):
            self._chunked = self._is_chunked(event)
        await self._pass_on(event)

    def _takes(self, event: Body) -> bool:
        """Say whether `event` is a chunk; an empty one would end the body."""
        return (
            self._chunked
            and self._protocol.connection.our_state is h11.SEND_BODY
            and len(event.data) > 0
        )

    def _is_chunked(self, response: Response) -> bool:
        connection = self._protocol.connection
        return (
            isinstance(connection, h11.Connection)  # not a WebSocket
            and (connection.their_http_version or b"") >= b"1.1"
            and not any(
                name.lower() in (b"content-length", b"transfer-encoding")
                for name, _ in response.headers
            )
        )
