"""The stores of our own keep the contract."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from gateway.plugin import Store, StoreSettings
from gateway.store import BUILT_IN
from gateway.testing import StoreConformance
from gateway.testing.store_responses import Reopen


class TestMemory(StoreConformance):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncGenerator[Store]:
        async with BUILT_IN["memory"].open(StoreSettings(directory=tmp_path)) as store:
            yield store


class TestSQLite(StoreConformance):
    @pytest.fixture
    def store(self, sqlite: Store) -> Store:
        return sqlite

    @pytest.fixture
    def reopen(self, open_store: Reopen) -> Reopen:
        return open_store
