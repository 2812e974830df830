"""The stores of our own keep the contract."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from gateway.plugin import Store, StoreSettings
from gateway.store.memory import MEMORY
from gateway.testing import StoreConformance


class TestMemory(StoreConformance):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncGenerator[Store]:
        async with MEMORY.open(StoreSettings(directory=tmp_path)) as store:
            yield store
