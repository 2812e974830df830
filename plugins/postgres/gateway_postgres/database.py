"""The connections to the database: opened when they are needed, given up when they fail."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from gateway.errors import ConfigError
from gateway.plugin import StoreSettings
from gateway_postgres.failures import store_errors
from gateway_postgres.migrations import migrate

__all__ = ["Database", "open_database"]

_CONNECTIONS = 10  # at most, for each process of the gateway
_SCHEMES = ("postgres", "postgresql")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SERVER_SHARE = 0.9  # of the time that an operation has; so a slow server says so itself


class _Connection(asyncpg.Connection):
    """A connection that needs no round trip to be used again: no statement of ours leaves
    anything behind in the session.
    """

    def get_reset_query(self) -> str:
        return ""


class Database:
    """Runs statements, each a transaction of its own, each within `timeout` seconds.

    Every failure is a `StoreError`. A statement that nobody waits for any more is cancelled in the
    server, too, before its connection is used again; one that is late takes its connection with it.
    """

    def __init__(self, pool: asyncpg.Pool, timeout: float) -> None:
        self._pool = pool
        self._timeout = timeout

    async def row(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row, if there is one."""
        async with self._connection() as connection:
            return await connection.fetchrow(statement, *map(_storable, arguments))

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        async with self._connection() as connection:
            return await connection.fetch(statement, *map(_storable, arguments))

    async def value(self, statement: str, *arguments: object) -> Any:
        """Return the first column of the first row, None if there is no row."""
        row = await self.row(statement, *arguments)
        return None if row is None else row[0]

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[asyncpg.Connection]:
        with store_errors():
            async with asyncio.timeout(self._timeout) as deadline:
                connection = await self._pool.acquire()
                try:
                    yield connection
                except asyncio.CancelledError:
                    if deadline.expired():  # so the other connections may be just as dead
                        connection.terminate()
                        await self._pool.expire_connections()
                    raise
                finally:
                    await self._pool.release(connection, timeout=self._timeout)


@asynccontextmanager
async def open_database(settings: StoreSettings) -> AsyncGenerator[Database]:
    """Hold the database at `settings.url`; nothing is connected before it is used.

    Raises `ConfigError` if that can be no URL of a PostgreSQL database.
    """
    _check(settings.url)
    pool = await asyncpg.create_pool(
        settings.url,
        min_size=0,
        max_size=_CONNECTIONS,
        connection_class=_Connection,
        init=_prepare,
        timeout=settings.timeout,
        server_settings={
            "application_name": "responses-gateway",
            "statement_timeout": str(int(settings.timeout * _SERVER_SHARE * 1000)),
            "jit": "off",  # compiling takes longer than any statement of ours
        },
    )
    try:
        yield Database(pool, settings.timeout)
    finally:
        with suppress(TimeoutError):  # the pool has given up its connections by then
            async with asyncio.timeout(settings.timeout):
                await pool.close()


async def _prepare(connection: asyncpg.Connection) -> None:
    """Bring the schema up to date. If it takes too long, do not say goodbye to a silent server."""
    try:
        await migrate(connection)
    except asyncio.CancelledError:
        connection.terminate()
        raise


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        for host in parts.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
    except ValueError:  # which quotes the URL
        raise ConfigError(
            "state.url is no URL; a password in it needs %40 for @, %2F for / and %3A for :"
        ) from None
    if parts.scheme not in _SCHEMES:
        raise ConfigError("state.url must begin with postgresql:// for the store postgres")
    mode = parse_qs(parts.query).get("sslmode", ["prefer"])[-1]
    if mode not in _SSL_MODES:
        raise ConfigError(f"sslmode in state.url must be one of {', '.join(_SSL_MODES)}")


def _storable(argument: object) -> object:
    """Return what can be sent: text has no NUL in PostgreSQL. No id that we keep has one either,
    so that who asks for such an id finds nothing.
    """
    return argument.replace("\0", "\ufffd") if isinstance(argument, str) else argument
