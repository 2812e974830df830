"""PostgreSQL as a store: responses, conversations and background work that several nodes share."""

from collections.abc import Iterable

from gateway.plugin import StoreKind, hookimpl
from gateway_postgres.store import open_store

__all__ = ["POSTGRES", "gateway_stores"]

POSTGRES = StoreKind(name="postgres", open=open_store)


@hookimpl
def gateway_stores() -> Iterable[StoreKind]:
    return (POSTGRES,)
