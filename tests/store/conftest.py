"""What the tests of the SQLite store share."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import pytest

from gateway.plugin import Store, StoreSettings
from gateway.store import BUILT_IN

Open = Callable[..., AbstractAsyncContextManager[Store]]
Audit = Callable[[], None]

_WRONG_NODES = """
    SELECT number FROM nodes AS node WHERE holders !=
        (SELECT count(*) FROM nodes WHERE parent = node.number)
        + (SELECT count(*) FROM responses WHERE responses.node = node.number)
        + (SELECT count(*) FROM conversations WHERE conversations.node = node.number)
"""
_WRONG_ITEMS = """
    SELECT number FROM items WHERE holders !=
        (SELECT count(*) FROM nodes, json_each(nodes.items) AS entry
            WHERE entry.value = items.number)
"""
_LOST_CONTENTS = """
    SELECT number FROM (SELECT number, tenant, id, digest FROM contents
        EXCEPT SELECT number, tenant, id, digest FROM items)
    UNION ALL SELECT number FROM (SELECT number, tenant, id, digest FROM items
        EXCEPT SELECT number, tenant, id, digest FROM contents)
"""
_YOUNG_PARENTS = "SELECT number FROM nodes WHERE parent >= number"


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Return what counts anew who holds what, and has SQLite look over its file."""

    def look() -> None:
        with closing(sqlite3.connect(tmp_path / "responses.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            for wrong in (_WRONG_NODES, _WRONG_ITEMS, _LOST_CONTENTS, _YOUNG_PARENTS):
                assert connection.execute(wrong).fetchall() == []

    return look


@pytest.fixture
def open_store(tmp_path: Path) -> Open:
    """Return what opens the SQLite store in the directory of the test."""
    return lambda timeout=10.0: BUILT_IN["sqlite"].open(
        StoreSettings(directory=tmp_path, timeout=timeout)
    )


@pytest.fixture
async def sqlite(open_store: Open, audit: Audit) -> AsyncGenerator[Store]:
    """Return a new SQLite store, which must be sound when the test is over."""
    async with open_store() as store:
        yield store
        await store.ready()
        audit()
