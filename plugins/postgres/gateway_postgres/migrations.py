"""The schema `gateway` in the database, brought to what this version of the code needs."""

from importlib.resources import files

import asyncpg

from gateway.errors import StoreError

__all__ = ["migrate"]

# Each runs once; a new version of the schema is one more file.
_TABLES = ("0001_tables.sql", "0002_marks.sql")
_FUNCTIONS = "functions.sql"  # replaces all functions, after each new version
_VERSION = len(_TABLES)

_PRESENT = "SELECT to_regclass('gateway.versions_applied') IS NOT NULL"
_APPLIED = "SELECT coalesce(max(version), 0) FROM gateway.versions_applied"
# One node at a time. Whoever may not create schemas can do with one that the administrator made.
_BEGIN = """
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('gateway migrations', 0));
DO $$ BEGIN
    IF to_regnamespace('gateway') IS NULL THEN CREATE SCHEMA gateway; END IF;
END $$;
CREATE TABLE IF NOT EXISTS gateway.versions_applied (
    version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()
)
"""


async def migrate(connection: asyncpg.Connection) -> None:
    """Make sure that the schema is there and of this version.

    Any number of nodes may do this at once. Raises `StoreError` if a newer version of the gateway
    has changed the schema already. A connection on which this fails has to be closed, which takes
    back what was done: rolling back would mean to wait for a server that may be gone.
    """
    if await _applied(connection) == _VERSION:
        return
    await connection.execute(_BEGIN)
    applied = await _applied(connection)
    if applied < _VERSION:
        for version, file in enumerate(_TABLES[applied:], applied + 1):
            await connection.execute(_read(file))
            await connection.execute("INSERT INTO gateway.versions_applied VALUES ($1)", version)
        await connection.execute(_read(_FUNCTIONS))
    await connection.execute("COMMIT")


async def _applied(connection: asyncpg.Connection) -> int:
    if not await connection.fetchval(_PRESENT):
        return 0
    applied = await connection.fetchval(_APPLIED)
    if applied > _VERSION:
        raise StoreError(
            f"the database has version {applied} of the schema and this gateway knows {_VERSION};"
            " run the newer gateway everywhere"
        )
    return applied


def _read(file: str) -> str:
    return files("gateway_postgres").joinpath("schema", file).read_text()
