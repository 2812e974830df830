"""What asyncpg, the server and the network raise, as the one error that the gateway knows."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import asyncpg

from gateway.errors import StoreError

__all__ = ["store_errors"]

# The first that fits counts. Their own messages are left out: some quote values, or the URL.
_REASONS: Mapping[type[BaseException], str] = {
    asyncpg.QueryCanceledError: "the database took too long for a statement, or waited for a lock",
    TimeoutError: "the database did not answer in time",
    asyncpg.InvalidAuthorizationSpecificationError: "the database refused the user or password"
    " of state.url",
    asyncpg.InvalidCatalogNameError: "the database that state.url names does not exist",
    asyncpg.ClientConfigurationError: "state.url is not a URL that asyncpg can use",
    asyncpg.InsufficientPrivilegeError: "the database user may not do what a store has to; it"
    " needs a schema `gateway` of its own",
    asyncpg.ReadOnlySQLTransactionError: "the database is read-only; state.url has to name the"
    " primary server",
    asyncpg.TooManyConnectionsError: "the database has no connection left",
    asyncpg.DiskFullError: "the disk of the database is full",
    asyncpg.CannotConnectNowError: "the database is starting or stopping",
    asyncpg.OperatorInterventionError: "the database is stopping, or ended the connection",
    asyncpg.PostgresConnectionError: "the connection to the database broke",
    asyncpg.PostgresError: "the database refused a statement",
    asyncpg.InterfaceError: "the connection to the database broke",
    asyncpg.InternalClientError: "the connection to the database broke",
    OSError: "the database cannot be reached",
}
_FOREIGN = tuple(_REASONS)


@contextmanager
def store_errors() -> Generator[None]:
    """Raise `StoreError` for whatever the database, its driver or the network fail with."""
    try:
        yield
    except _FOREIGN as error:
        reason = next(text for kind, text in _REASONS.items() if isinstance(error, kind))
        state = getattr(error, "sqlstate", None)
        raise StoreError(f"{reason} (SQLSTATE {state})" if state else reason) from error
