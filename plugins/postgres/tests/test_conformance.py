"""The store keeps the contract, on a real server."""

from pathlib import Path

import asyncpg
import pytest

from gateway.plugin import StoreSettings
from gateway.testing.store_conformance import StoreConformance
from gateway.testing.store_responses import Reopen
from gateway_postgres import POSTGRES
from gateway_postgres.testing import PostgresServer


@pytest.fixture(scope="module")
def database(server: PostgresServer) -> str:
    return server.new_database()


class TestConformance(StoreConformance):
    @pytest.fixture
    async def settings(self, database: str) -> StoreSettings:  # sooner done than a new database
        connection = await asyncpg.connect(database)
        await connection.execute("DROP SCHEMA IF EXISTS gateway CASCADE")
        await connection.close()
        return StoreSettings(directory=Path(), url=database)

    @pytest.fixture
    def reopen(self, settings: StoreSettings) -> Reopen:
        return lambda: POSTGRES.open(settings)
