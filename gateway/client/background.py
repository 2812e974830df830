"""The event loop that the functions of the package share: one for the process, in a thread.

Synchronous calls need a loop that outlives them. The asynchronous functions use the same one: an
engine for each of the caller's loops would open its connections, and start its local models, anew
with every `asyncio.run`, and could not close them, since a loop does not say when it ends. So all
calls meet in one engine, whose connections are shared. Only bytes cross between the threads; a
caller that is cancelled, or interrupted, cancels its call there.

The thread starts with the first call and stops when the interpreter exits. A forked child cannot
use its parent's thread and connections; it starts its own.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
from collections.abc import Coroutine
from functools import partial
from typing import Any, Self, TypeVar

from gateway.client.instance import Gateway
from gateway.client.orders import Order
from gateway.client.streams import AsyncResponseStream, HeldBlocks, ResponseStream
from gateway.errors import GatewayError

__all__ = ["Background", "DefaultGateway"]

T = TypeVar("T")
Answer = TypeVar("Answer")

_STOP_SECONDS = 5.0


class Background:
    """A `Gateway` that is open in an event loop of its own, in a thread of its own.

    Raises what opening the gateway raises.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._calls: set[concurrent.futures.Future[Any]] = set()
        self._stopped = False
        self._lock = threading.Lock()  # so that no call is begun and not yet known when it stops
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._life = asyncio.run_coroutine_threadsafe(self._live(opened), self._loop)
        concurrent.futures.wait((opened, self._life), return_when="FIRST_COMPLETED")
        if self._life.done():
            self._end()
            self._life.result()

    def submit(self, call: Coroutine[Any, Any, T], future: concurrent.futures.Future[T]) -> None:
        """Run `call` in the loop for `future`; cancelling that cancels it.

        The future is there first: whoever is interrupted while the call is handed over has
        something to cancel. A call that comes after the end is cancelled like those under way.
        """
        with self._lock:
            if self._stopped:
                call.close()
                future.cancel()
                return
            self._calls.add(future)
            self._loop.call_soon_threadsafe(self._begin, call, future)
        future.add_done_callback(self._calls.discard)

    def wait(self, call: Coroutine[Any, Any, T]) -> T:
        """Run `call` in the loop while the caller's thread waits for it."""
        if threading.current_thread() is self._thread:
            call.close()
            raise GatewayError(
                "a synchronous call from the gateway's own thread would wait for itself;"
                " use the function whose name begins with a"
            )
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            self.submit(call, future)
            return future.result()
        except BaseException:
            _give_up(future)
            del future  # or the traceback would hold what it brings
            raise

    async def hand_over(self, call: Coroutine[Any, Any, T]) -> T:
        """Run `call` in the loop while the caller's loop goes on."""
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            self.submit(call, future)
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            _give_up(future)
            del future  # or the traceback would hold what it brings
            raise

    def stop(self) -> None:
        """Close the gateway and end the thread; calls that are under way are cancelled."""
        with self._lock:
            self._stopped = True
            calls = tuple(self._calls)
        for call in calls:
            call.cancel()
        self._loop.call_soon_threadsafe(self._stopping.set)
        concurrent.futures.wait((self._life,), _STOP_SECONDS)
        self._end()

    async def _live(self, opened: concurrent.futures.Future[None]) -> None:
        async with self.gateway:
            opened.set_result(None)
            await self._stopping.wait()

    def _begin(self, call: Coroutine[Any, Any, T], future: concurrent.futures.Future[T]) -> None:
        task = self._loop.create_task(call)

        def cancel(given_up: concurrent.futures.Future[T]) -> None:
            if given_up.cancelled():
                self._loop.call_soon_threadsafe(task.cancel)

        task.add_done_callback(partial(_hand_on, future))
        future.add_done_callback(cancel)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()


class DefaultGateway:
    """The gateway of this process for any `provider/model`, made when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._background: Background | None = None
        self._inherited: list[Background] = []
        atexit.register(self.stop)
        if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
            os.register_at_fork(after_in_child=self._leave_to_parent)

    def answer(self, order: Order[Answer]) -> Answer | ResponseStream:
        """Return the answer to `order`, or the stream that it asks for. Raises `GatewayError`."""
        background = self._running()
        reply = background.wait(background.gateway.perform(order))
        if isinstance(reply, bytes):
            return order.read(reply)
        return ResponseStream(_WaitedFor(reply, background))

    async def answer_async(self, order: Order[Answer]) -> Answer | AsyncResponseStream:
        """Like `answer`, without blocking the caller's event loop."""
        background = self._background or await asyncio.to_thread(self._running)
        reply = await background.hand_over(background.gateway.perform(order))
        if isinstance(reply, bytes):
            return order.read(reply)
        return AsyncResponseStream(_HandedOver(reply, background))

    def stop(self) -> None:
        """Close the gateway if there is one; the next call makes another."""
        with self._lock:
            background, self._background = self._background, None
        if background is not None:
            background.stop()

    def _running(self) -> Background:
        with self._lock:
            if self._background is None:
                self._background = Background(Gateway())
            return self._background

    def _leave_to_parent(self) -> None:
        # Kept, and never closed: to close them would disturb the parent, which shares the sockets.
        if self._background is not None:
            self._inherited.append(self._background)
        self._background = None
        self._lock = threading.Lock()  # whoever held it is not in this process


class _WaitedFor:
    """Blocks out of the background for a thread that waits for each."""

    def __init__(self, blocks: HeldBlocks, background: Background) -> None:
        self._blocks = blocks
        self._background = background

    def read(self) -> bytes:
        try:
            return self._background.wait(_next(self._blocks))
        except BaseException:
            self._blocks.abandon()
            raise

    def close(self) -> None:
        self._background.wait(self._blocks.aclose())


class _HandedOver:
    """Blocks out of the background for another event loop."""

    def __init__(self, blocks: HeldBlocks, background: Background) -> None:
        self._blocks = blocks
        self._background = background

    @property
    def over(self) -> bool:
        return self._blocks.over

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            block = await self._background.hand_over(_next(self._blocks))
        except asyncio.CancelledError:
            self._blocks.abandon()
            raise
        if not block:
            raise StopAsyncIteration
        return block

    async def aclose(self) -> None:
        await self._background.hand_over(self._blocks.aclose())


async def _next(blocks: HeldBlocks) -> bytes:
    """Return the next block, or `b""` at the end."""
    return await anext(blocks, b"")


def _hand_on(future: concurrent.futures.Future[T], task: asyncio.Task[T]) -> None:
    """Give to `future` what `task` brought; if nobody waits for it any more, that is let go."""
    if not future.set_running_or_notify_cancel():
        _let_go(task)
    elif task.cancelled():
        future.set_exception(concurrent.futures.CancelledError())
    elif error := task.exception():
        future.set_exception(error)
    else:
        future.set_result(task.result())


def _give_up(future: concurrent.futures.Future[Any]) -> None:
    """Cancel what nobody waits for any more; if it is done, what it brought is let go."""
    future.cancel()
    future.add_done_callback(_let_go)


def _let_go(future: concurrent.futures.Future[Any] | asyncio.Task[Any]) -> None:
    brought = None if future.cancelled() or future.exception() else future.result()
    if isinstance(brought, HeldBlocks):
        brought.abandon()
