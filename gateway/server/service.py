"""The whole service: an engine and the server around it, in this process or in several."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any

from msgspec.structs import replace

from gateway.config import Config
from gateway.core.engine import Engine
from gateway.http.app import create_app
from gateway.plugin.manager import Plugins
from gateway.server.engines import Ready, check_engine, create_server, needs_worker
from gateway.server.listening import check_binding, listen, url_of
from gateway.server.workers import Orders, Supervisor

try:
    from uvloop import new_event_loop
except ImportError:  # there is none for Windows
    from asyncio import new_event_loop

__all__ = ["run", "serve"]

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(config: Config, plugins: Plugins, *, ready: Ready | None = None) -> None:
    """Serve `config` with as many processes as it says, until a signal; see `serve`."""
    if config.server.workers == 1 and not needs_worker(config.server):
        _run(serve(config, plugins, ready=ready))
    else:
        check_binding(config)
        check_engine(config.server)
        _Workers(config, plugins).run(ready)


async def serve(config: Config, plugins: Plugins, *, ready: Ready | None = None) -> None:
    """Serve `config` in this process until SIGINT or SIGTERM.

    The first signal lets running requests finish, for `drain_seconds` at most; the second cuts
    them off. `ready` is told the URL once connections are accepted. Raises `ConfigError` if this
    address must not or cannot be served, and whatever stops the engine from opening.
    """
    check_binding(config)
    with listen(config.server) as listener:
        engine = Engine(config, plugins)
        server = create_server(create_app(engine, config), config.server, listener)
        with _on_signals(_both(engine.stop, server.stop)):
            async with engine:
                _settle_memory()
                await server.run(ready)


class _Workers:
    """The same service in several processes, each with an engine and a socket of its own.

    The kernel spreads connections over the sockets. They are made before the fork, so that a
    worker that dies loses no connection that it has not accepted yet: its successor does.
    """

    def __init__(self, config: Config, plugins: Plugins) -> None:
        settings = config.server
        if settings.port:
            listen(settings).close()  # a shared socket would not notice that the port is taken
        first = listen(settings, shared=True)
        self._settings = replace(settings, port=first.getsockname()[1])
        others = [listen(self._settings, shared=True) for _ in range(settings.workers - 1)]
        self._listeners = [first, *others]
        self._config = config
        self._plugins = plugins

    def run(self, ready: Ready | None) -> None:
        url = url_of(self._settings, self._listeners[0])
        jobs = [partial(self._work, listener) for listener in self._listeners]
        Supervisor(jobs, self._close).run(lambda: ready(url) if ready is not None else None)

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _work(self, listener: socket.socket, orders: Orders) -> None:
        for other in self._listeners:
            if other is not listener:
                other.close()
        _run(self._serve(listener, orders))

    async def _serve(self, listener: socket.socket, orders: Orders) -> None:
        engine = Engine(self._config, self._plugins)
        server = create_server(create_app(engine, self._config), self._settings, listener)
        orders.follow(_both(engine.stop, server.stop))
        async with engine:
            _settle_memory()
            await server.run(lambda url: orders.report())


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    """Return what does both at the same time."""

    def stop() -> None:
        first()
        second()

    return stop


@contextlib.contextmanager
def _on_signals(stop: Callable[[], None]) -> Generator[None]:
    loop = asyncio.get_running_loop()
    # Windows, or not the main thread: whoever runs us stops us some other way.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)


def _settle_memory() -> None:
    """Have the garbage collector look less often, and not at what start-up has made.

    A request leaves a few hundred objects behind, nearly all of which go without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)
