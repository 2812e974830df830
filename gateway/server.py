"""The server: hypercorn around the application, in this process or in several."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any

import hypercorn.asyncio
from hypercorn.config import Config as HypercornConfig
from hypercorn.config import Sockets
from hypercorn.utils import LifespanFailureError
from msgspec.structs import replace

from gateway.config import Config, ServerSettings
from gateway.core.engine import Engine
from gateway.errors import ConfigError, GatewayError
from gateway.http.app import create_app
from gateway.plugin.manager import Plugins
from gateway.workers import Orders, Supervisor

try:
    from uvloop import new_event_loop
except ImportError:  # there is none for Windows
    from asyncio import new_event_loop

__all__ = ["Server", "check_binding", "listen", "run", "serve"]

Ready = Callable[[str], None]
"""Is told the URL once connections are accepted."""

_BACKLOG = 2048
_IDLE_SECONDS = 75.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = logging.getLogger("gateway.server")


def run(config: Config, plugins: Plugins, *, ready: Ready | None = None) -> None:
    """Serve `config` with as many processes as it says, until a signal; see `serve`."""
    if config.server.workers == 1:
        _run(serve(config, plugins, ready=ready))
    else:
        check_binding(config)
        _Workers(config, plugins).run(ready)


async def serve(config: Config, plugins: Plugins, *, ready: Ready | None = None) -> None:
    """Serve `config` in this process until SIGINT or SIGTERM.

    The first signal lets running requests finish, for `drain_seconds` at most; the second cuts
    them off. `ready` is told the URL once connections are accepted. Raises `ConfigError` if this
    address must not or cannot be served, and whatever stops the engine from opening.
    """
    check_binding(config)
    with listen(config.server) as listener:
        app = create_app(Engine(config, plugins), config)
        server = Server(app, config.server, listener)
        with _on_signals(server.stop):
            await server.run(ready)


def check_binding(config: Config) -> None:
    """Refuse to serve strangers without keys. Raises `ConfigError`."""
    host = config.server.host
    if not config.api_keys and not _is_loopback(host):
        raise ConfigError(
            f"server.host {host!r} can be reached from other machines and there are no api_keys:"
            " add one, or listen on 127.0.0.1"
        )


def listen(settings: ServerSettings, *, shared: bool = False) -> socket.socket:
    """Return a listening socket for `settings`; `shared` ones can have the same port.

    Raises `ConfigError` if the address is unknown, not ours, or taken.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        # "localhost" is both; most clients try IPv4, and some nothing else.
        family, *_, address = min(found, key=lambda candidate: candidate[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG, reuse_port=shared)
    except socket.gaierror as error:
        raise _cannot_listen(settings, error.strerror) from error
    except OSError as error:
        raise _cannot_listen(settings, os.strerror(error.errno or 0)) from error


def _cannot_listen(settings: ServerSettings, reason: str | None) -> ConfigError:
    return ConfigError(
        f"cannot listen on {settings.host}:{settings.port}: {reason};"
        " choose another server.host or server.port"
    )


class Server:
    """Serves one application on one listening socket, which it closes, until it is told to stop."""

    def __init__(self, app: Any, settings: ServerSettings, listener: socket.socket) -> None:
        self._app = _InFlight(app)
        self._settings = settings
        self._listener = listener
        self._url = _url(settings, listener)
        self._stopping = asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None

    async def run(self, ready: Ready | None = None) -> None:
        """Serve until `stop`. Raises `ConfigError` for unusable certificates, or what the
        application's start raised.
        """

        async def until_stopped() -> None:
            if ready is not None:
                ready(self._url)
            await self._stopping.wait()

        settings = _hypercorn(self._settings, self._listener)
        try:
            await hypercorn.asyncio.serve(  # pyright: ignore[reportUnknownMemberType] - its WSGI half
                self._app, settings, shutdown_trigger=until_stopped, mode="asgi"
            )
        except LifespanFailureError as failure:
            if isinstance(failure.__context__, GatewayError):
                raise failure.__context__ from None
            raise
        finally:
            self._listener.close()
            if self._deadline is not None:
                self._deadline.cancel()

    def stop(self) -> None:
        """Accept nothing new and let running requests finish in time; at once the second time."""
        if self._stopping.is_set():
            self._app.cut()
            return
        self._stopping.set()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._settings.drain_seconds, self._app.cut)


class _InFlight:
    """Knows the requests under way and can cut them off.

    Not left to hypercorn's `graceful_timeout`: from Python 3.12 on, asyncio's servers wait for
    their connections before that even starts to count.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._requests: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        if scope["type"] == "lifespan" or task is None:
            await self._app(scope, receive, send)
            return
        self._requests.add(task)
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests.discard(task)

    def cut(self) -> None:
        if self._requests:
            _log.warning("cutting off %d requests that are still running", len(self._requests))
        for task in self._requests:
            task.cancel()


class _Hypercorn(HypercornConfig):
    """hypercorn's settings, with a socket that is open already: port 0, and a clear error."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def create_sockets(self) -> Sockets:
        if self.ssl_enabled:
            return Sockets([self._listener], [], [])
        return Sockets([], [self._listener], [])


def _hypercorn(settings: ServerSettings, listener: socket.socket) -> HypercornConfig:
    hypercorn = _Hypercorn(listener)
    hypercorn.backlog = _BACKLOG
    hypercorn.certfile, hypercorn.keyfile = _certificate(settings)
    hypercorn.errorlog = logging.getLogger("hypercorn.error")
    hypercorn.errorlog.setLevel(logging.WARNING)  # it announces the address, as the CLI does
    hypercorn.graceful_timeout = settings.drain_seconds + 1
    hypercorn.h11_max_incomplete_size = 64 * 1024  # bytes of headers
    hypercorn.include_server_header = False
    # With HTTP/2 reaching this number kills the streams that are still running.
    hypercorn.keep_alive_max_requests = sys.maxsize
    hypercorn.keep_alive_timeout = _IDLE_SECONDS
    # 0 is unlimited. With a limit, refusing an upload before it is read to its end blocks for ever:
    # the queue is full, and hypercorn waits to put the disconnect into it.
    hypercorn.max_app_queue_size = 0
    hypercorn.startup_timeout = 3600.0  # a local model may be loading; launching has its own limit
    return hypercorn


def _certificate(settings: ServerSettings) -> tuple[str | None, str | None]:
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None, None
    if certificate is None or key is None:
        raise ConfigError("server.tls_certificate and server.tls_key belong together: give both")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigError(
            f"server.tls_certificate {certificate} and server.tls_key {key} cannot be used:"
            f" {error.strerror or error}"
        ) from error
    return certificate, key


def _url(settings: ServerSettings, listener: socket.socket) -> str:
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def _run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)


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
        url = _url(self._settings, self._listeners[0])
        jobs = [partial(self._work, listener) for listener in self._listeners]
        Supervisor(jobs, self._close).run(lambda: ready(url) if ready is not None else None)

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _work(self, listener: socket.socket, orders: Orders) -> None:
        for other in self._listeners:
            if other is not listener:
                other.close()
        app = create_app(Engine(self._config, self._plugins), self._config)
        server = Server(app, self._settings, listener)
        _run(_serve_by_orders(server, orders))


async def _serve_by_orders(server: Server, orders: Orders) -> None:
    orders.follow(server.stop)
    await server.run(lambda url: orders.report())
