"""The stream of a response in the background, told from the store to whoever asks."""

from __future__ import annotations

from typing import Self

from gateway.core.background.bells import Bells
from gateway.core.background.pace import Pace, pause
from gateway.core.background.telling import LAST_OF_BEGINNING, OVER, Frames, ends, waiting
from gateway.errors import NotFoundError, StoreError
from gateway.plugin.store import Store
from gateway.stream.failure import error_event
from gateway.stream.sse import DONE, encode_frames
from gateway.types.response import decode_response

__all__ = ["Following"]


class Following:
    """The events with numbers above `after`: first those that there are, then each as it comes.

    Blocks like those of any stream. Leaving them leaves the work alone. A store that fails while
    they run is asked again until it answers.
    """

    def __init__(
        self, store: Store, bells: Bells, pace: Pace, *, tenant: str, response_id: str
    ) -> None:
        self._store = store
        self._bells = bells
        self._pace = pace
        self._tenant = tenant
        self._response_id = response_id
        self._after = -1
        self._first = b""
        self.over = False
        """Whether the last block has been given."""

    async def begin(self, after: int) -> None:
        """Look for the first time. Raises `NotFoundError` and `StoreError`."""
        self._after = after
        self._first = await self._look()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        block, self._first = self._first, b""
        wait = self._pace.first_look
        while not block:
            if self.over:
                raise StopAsyncIteration
            bell = self._bells.listen(self._response_id)
            block = await self._look_again()
            if not (block or self.over):
                await pause(bell, wait)
                wait = min(2 * wait, self._pace.last_look)
        return block

    async def aclose(self) -> None:
        self.over = True

    async def _look_again(self) -> bytes:
        try:
            return await self._look()
        except StoreError:
            return b""
        except NotFoundError as error:  # deleted while it was followed
            self.over = True
            event = error_event(error)
            event.sequence_number = self._after + 1
            return encode_frames([event]) + DONE

    async def _look(self) -> bytes:
        """Return the events that are new, nothing if there are none yet."""
        found = await self._store.events(self._tenant, self._response_id, self._after)
        if found is None:
            raise NotFoundError(f"response with id {self._response_id!r} not found")
        frames = found.frames
        if not frames and found.status == "queued" and self._after < LAST_OF_BEGINNING - 1:
            frames = await self._waiting()
        if frames:
            self._after = frames[-1][0]
        self.over = ends(frames[-1][1]) if frames else found.status in OVER
        block = b"".join(frame for _, frame in frames)
        return block + DONE if self.over else block

    async def _waiting(self) -> Frames:
        """Return the events that nobody has written yet, because nobody has taken up the work."""
        found = await self._store.load(self._tenant, self._response_id)
        if found is None or found[0].status != "queued":
            return ()
        frames = waiting(decode_response(found[0].body))
        return [(number, frame) for number, frame in frames if number > self._after]
