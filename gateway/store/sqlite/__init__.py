"""The SQLite store: the default, which needs no set-up and no server."""

from gateway.store.sqlite.store import SQLITE

__all__ = ["SQLITE"]
