"""What an operation of the SQLite store costs: commits, statements, bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import NotFoundError, StoreError
from gateway.plugin import Origin, Page, Store
from gateway.store.sqlite import responses
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.lane import Lane
from gateway.testing.store_samples import TENANT, context, items, record, save

if TYPE_CHECKING:
    from .conftest import Open


Work = Callable[[Connection], Any]


class CountingDatabase(Database):
    """Counts its transactions."""

    transactions = 0

    def run(self, work: Work) -> Any:
        self.transactions += 1
        return super().run(work)


@pytest.fixture
def database(tmp_path: Path) -> Generator[CountingDatabase]:
    with closing(
        CountingDatabase(tmp_path / "responses.sqlite", timeout=1.0, writes=True)
    ) as database:
        yield database


def statements(database: Database, work: Work) -> list[str]:
    """Return the statements that `work` takes, however many rows each reads."""
    said: list[str] = []

    def listen(connection: Connection) -> None:
        connection.set_trace_callback(said.append)
        work(connection)
        connection.set_trace_callback(None)

    database.run(listen)
    return said


def operations(turn: int) -> tuple[Work, ...]:
    """Return how a turn of a chain is saved, and read in each way."""
    kept, origin = record(f"r{turn}"), Origin(response_id=f"r{turn - 1}" if turn else "")
    page = Page(limit=5)
    return (
        lambda c: responses.save(c, kept, origin, items(f"q{turn}"), items(f"a{turn}")),
        lambda c: responses.history(c, TENANT, kept.id),
        lambda c: responses.load(c, TENANT, kept.id),
        lambda c: responses.input_items(c, TENANT, kept.id, page),
    )


def test_the_last_turn_of_a_long_chain_takes_what_the_second_took(database: Database) -> None:
    counts = [[len(statements(database, work)) for work in operations(turn)] for turn in range(200)]
    assert counts[199] == counts[1]
    assert counts[1][0] <= 15
    assert max(counts[1][1:]) <= 4


def test_a_turn_takes_as_many_bytes_wherever_it_is_in_a_chain(
    database: Database, tmp_path: Path
) -> None:
    sizes: list[int] = []
    for start in range(0, 900, 300):
        saves = [operations(turn)[0] for turn in range(start, start + 300)]
        database.run(lambda connection, saves=saves: [save(connection) for save in saves])
        database.empty_log()
        sizes.append((tmp_path / "responses.sqlite").stat().st_size)
    first, last = sizes[1] - sizes[0], sizes[2] - sizes[1]
    assert last <= first * 1.2


async def test_a_client_that_sends_its_history_again_stores_no_item_twice(
    open_store: Open, tmp_path: Path
) -> None:
    async with open_store() as store:
        names = [f"item{number}" + "x" * 500 for number in range(100)]
        for turn in range(1, 100):
            await save(store, f"r{turn}", " ".join(names[:turn]), names[turn])
        assert await context(store, "r99") == " ".join(names[:99]) + f" | {names[99]}"
    assert (tmp_path / "responses.sqlite").stat().st_size < 500_000


async def test_writes_at_once_share_a_commit(database: CountingDatabase) -> None:
    lane = Lane(database, most=200, linger=0.01, timeout=5.0)
    numbers = await asyncio.gather(*(lane.run(lambda _, n=n: n) for n in range(100)))
    assert numbers == [*range(100)]
    assert database.transactions <= 2
    await lane.aclose()


async def test_of_writes_that_share_a_commit_one_may_fail(database: CountingDatabase) -> None:
    lane = Lane(database, most=200, linger=0.01, timeout=5.0)
    await lane.run(lambda connection: connection.execute("CREATE TABLE seen (number UNIQUE)"))

    def write(connection: Connection, number: int) -> int:
        connection.execute("INSERT INTO seen VALUES (?)", (number,))
        if number == 5:
            raise NotFoundError("there is no five")
        return number

    wanted = (1, 2, 5, 3, 1, 4)
    outcomes = await asyncio.gather(
        *(lane.run(lambda c, n=n: write(c, n)) for n in wanted), return_exceptions=True
    )
    assert [outcomes[0], outcomes[1], outcomes[3], outcomes[5]] == [1, 2, 3, 4]
    assert [type(outcomes[2]), type(outcomes[4])] == [NotFoundError, StoreError]
    rows = await lane.run(lambda c: c.execute("SELECT number FROM seen ORDER BY 1").fetchall())
    assert rows == [(1,), (2,), (3,), (4,)]
    await lane.aclose()


async def test_a_reader_does_not_wait_for_the_next_one(sqlite: Store) -> None:
    await save(sqlite, "one", "q", "a")
    told = await asyncio.gather(*(context(sqlite, "one") for _ in range(50)))
    assert told == ["q | a"] * 50
