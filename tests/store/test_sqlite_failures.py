"""Whatever is wrong with the file is a `StoreError`, and over when it is put right."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING

import pytest

from gateway.errors import ConfigError, StoreError
from gateway.plugin import Origin, Store, StoreSettings
from gateway.store import BUILT_IN
from gateway.store.sqlite.database import Database, create
from gateway.store.sqlite.lane import Lane
from gateway.testing.store_samples import LATER, TENANT, context, empty, item, record, save

if TYPE_CHECKING:
    from .conftest import Audit, Open

MARKER = "a secret that was deleted"


@contextmanager
def files_up_to(size: int) -> Generator[None]:
    """Let no file of this process grow beyond `size` bytes, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def another_writes(directory: Path) -> Generator[None]:
    """Hold the file as another process does that is in the middle of a transaction."""
    with closing(sqlite3.connect(directory / "responses.sqlite")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()


def files(directory: Path) -> list[Path]:
    return [*directory.iterdir()]


async def must_fail(store: Store, words: str) -> None:
    with pytest.raises(StoreError, match=words) as raised:
        await save(store, "lost", "q", "a")
    assert raised.value.status == 503
    assert not await store.ready()


async def test_a_full_disk_is_told_and_gets_over(sqlite: Store) -> None:
    await save(sqlite, "one", "q1", "a1")
    with files_up_to(100_000):
        big = record("big", body=b"x" * 1_000_000)
        with pytest.raises(StoreError, match=r"responses\.sqlite fails"):
            await save(sqlite, big, "q", "a")
        assert await context(sqlite, "one") == "q1 | a1"
        assert await context(sqlite, "big") == "gone"
    await save(sqlite, big, "q", "a", origin="one")
    assert await context(sqlite, "big") == "q1 a1 q | a"
    assert await sqlite.ready()


async def test_what_fits_is_saved_beside_what_does_not(sqlite: Store) -> None:
    await save(sqlite, "one", "q1", "a1")
    big = record("big", body=b"x" * 1_000_000)
    with files_up_to(400_000):
        outcomes = await asyncio.gather(
            *(save(sqlite, f"small{number}", "q", "a") for number in range(3)),
            save(sqlite, big, "q", "a"),
            *(save(sqlite, f"small{number}", "q", "a") for number in range(3, 6)),
            return_exceptions=True,
        )
    assert [type(outcome) for outcome in outcomes].count(StoreError) == 1
    for number in range(6):
        assert await context(sqlite, f"small{number}") == "q | a"


async def test_a_writer_elsewhere_is_waited_for_but_not_for_ever(
    open_store: Open, tmp_path: Path, audit: Audit
) -> None:
    async with open_store(timeout=0.3) as store:
        await save(store, "one", "q1", "a1")
        with another_writes(tmp_path):
            first = asyncio.create_task(save(store, "first", "q", "a"))
            with pytest.raises(StoreError, match="try again"):
                await save(store, "second", "q", "a")
            with pytest.raises(StoreError, match="try again"):
                await first
            assert await context(store, "one") == "q1 | a1"  # readers wait for nobody
            assert not await store.ready()
        await save(store, "two", "q2", "a2", origin="one")
        assert await context(store, "two") == "q1 a1 q2 | a2"
        assert await store.ready()
        audit()


async def test_what_was_given_up_before_it_began_is_never_done(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite", timeout=1.0, writes=True)
    lane = Lane(database, most=200, linger=0.0, timeout=5.0)
    done: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def slow(_: Connection) -> None:
        began.set()
        go_on.wait(5)

    first = asyncio.create_task(lane.run(slow))
    assert await asyncio.to_thread(began.wait, 5)
    second = asyncio.create_task(lane.run(lambda _: done.append("second")))
    third = asyncio.create_task(lane.run(lambda _: done.append("third")))
    await asyncio.sleep(0)  # both are in the queue now
    second.cancel()
    await asyncio.wait([second])
    go_on.set()
    await asyncio.gather(first, third)
    assert done == ["third"]
    await lane.aclose()


async def test_nobody_waits_for_work_that_was_given_up(open_store: Open, tmp_path: Path) -> None:
    async with open_store(timeout=0.3) as store:
        await save(store, "one", "q1", "a1")
        with another_writes(tmp_path):
            given_up = [asyncio.create_task(save(store, f"r{n}", "q", "a")) for n in range(30)]
            outcomes = await asyncio.gather(*given_up, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {StoreError}
        await asyncio.wait_for(save(store, "two", "q2", "a2"), 0.3)


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"x" * 5000])
async def test_a_file_that_is_no_database_can_be_moved_away(
    open_store: Open, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "responses.sqlite"
    path.write_bytes(content)
    async with open_store() as store:
        await must_fail(store, "move it away")
        with pytest.raises(StoreError, match="move it away"):
            await store.load(TENANT, "one")
        assert path.read_bytes() == content
        path.rename(tmp_path / "broken.sqlite")
        await save(store, "one", "q", "a")
        assert await context(store, "one") == "q | a"


async def test_a_damaged_file_is_told(open_store: Open, tmp_path: Path) -> None:
    async with open_store() as store:
        for number in range(50):
            await save(store, f"r{number}", f"q{number}", f"a{number}")
    path = tmp_path / "responses.sqlite"
    sound = path.read_bytes()
    path.write_bytes(sound[:4096] + b"\xff" * (len(sound) - 4096))
    async with open_store() as store:
        await must_fail(store, "it is damaged")
        path.unlink()
        path.write_bytes(sound)
        assert await context(store, "r7") == "q7 | a7"
        assert await store.ready()


async def test_a_file_of_a_newer_gateway_is_left_alone(open_store: Open, tmp_path: Path) -> None:
    async with open_store() as store:
        await save(store, "one", "q", "a")
    with closing(sqlite3.connect(tmp_path / "responses.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 999")
    async with open_store() as store:
        await must_fail(store, "newer gateway, with version 999")


async def test_a_file_of_an_older_gateway_is_brought_up_to_date(
    open_store: Open, tmp_path: Path
) -> None:
    async with open_store() as store:
        await save(store, "one", "q", "a")
    with closing(sqlite3.connect(tmp_path / "responses.sqlite")) as connection:
        connection.execute("DROP TABLE marks")
        connection.execute("PRAGMA user_version = 1")
    async with open_store() as store:
        assert await context(store, "one") == "q | a"
        assert await store.mark(TENANT, "once", now=0, until=LATER)
        assert not await store.mark(TENANT, "once", now=0, until=LATER)


async def test_a_gateway_that_runs_on_does_not_set_back_the_version_of_a_newer_one(
    open_store: Open, tmp_path: Path
) -> None:
    async with open_store() as store:
        await save(store, "one", "q", "a")
        with closing(sqlite3.connect(tmp_path / "responses.sqlite")) as connection:
            connection.execute("PRAGMA user_version = 999")
            await store.ready()
            assert connection.execute("PRAGMA user_version").fetchall() == [(999,)]


async def test_a_version_that_an_older_gateway_has_set_back_does_no_harm(
    open_store: Open, tmp_path: Path
) -> None:
    async with open_store() as store:
        assert await store.mark(TENANT, "once", now=0, until=LATER)
    with closing(sqlite3.connect(tmp_path / "responses.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 1")
    async with open_store() as store:
        assert not await store.mark(TENANT, "once", now=0, until=LATER)


async def test_a_database_of_somebody_else_is_left_alone(open_store: Open, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "responses.sqlite")) as connection:
        connection.execute("CREATE TABLE accounts (name TEXT)")
    async with open_store() as store:
        await must_fail(store, "not the gateway's")


async def test_a_file_that_is_moved_away_takes_no_later_writes_with_it(
    open_store: Open, tmp_path: Path
) -> None:
    async with open_store() as store:
        await save(store, "one", "q", "a")
        (tmp_path / "responses.sqlite").rename(tmp_path / "old.sqlite")
        await must_fail(store, "responses.sqlite-wal; move that, too")
        (tmp_path / "responses.sqlite-wal").rename(tmp_path / "old.sqlite-wal")
        await save(store, "two", "q", "a")
        assert await context(store, "one") == "gone"
    async with open_store() as store:
        assert await context(store, "two") == "q | a"
    (tmp_path / "responses.sqlite").unlink()
    for name in ("sqlite", "sqlite-wal"):
        (tmp_path / f"old.{name}").rename(tmp_path / f"responses.{name}")
    async with open_store() as store:
        assert await context(store, "one") == "q | a"
        assert await context(store, "two") == "gone"


def test_a_connection_that_failed_is_not_used_again(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "x.sqlite", timeout=1.0, writes=True)) as database:
        first = database.run(lambda connection: connection)
        with pytest.raises(StoreError):
            database.run(lambda connection: connection.execute("SELECT nothing"))
        assert database.run(lambda connection: connection) is not first


def test_who_makes_the_file_last_leaves_that_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    create(path)
    made = path.stat().st_ino
    create(path)
    assert path.stat().st_ino == made
    assert files(tmp_path) == [path]


async def test_a_directory_that_is_a_file_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.write_text("")
    with pytest.raises(ConfigError, match=r"state\.directory"):
        async with BUILT_IN["sqlite"].open(StoreSettings(directory=directory)):
            pass


async def test_a_directory_that_is_missing_is_made(tmp_path: Path) -> None:
    settings = StoreSettings(directory=tmp_path / "deep" / "state")
    async with BUILT_IN["sqlite"].open(settings) as store:
        assert await store.ready()
    assert settings.directory.stat().st_mode & 0o777 == 0o700


async def test_only_the_owner_can_read_the_files(sqlite: Store, tmp_path: Path) -> None:
    await save(sqlite, "one", "q", "a")
    modes = {file.name: file.stat().st_mode & 0o777 for file in files(tmp_path)}
    assert modes.keys() >= {"responses.sqlite", "responses.sqlite-wal"}
    assert set(modes.values()) == {0o600}


async def test_what_is_deleted_and_purged_is_in_no_file(sqlite: Store, tmp_path: Path) -> None:
    body = f'{{"text":"{MARKER}"}}'.encode()
    await save(sqlite, record("one", body=body), "kept", "a")
    await save(sqlite, "two", "kept", "a", origin="one")
    await sqlite.save(record("three"), Origin(), (item("q", MARKER),), ())
    assert any(MARKER.encode() in file.read_bytes() for file in files(tmp_path))
    for response_id in ("one", "three"):
        assert await sqlite.delete(TENANT, response_id)
    await empty(sqlite, 0)
    assert not any(MARKER.encode() in file.read_bytes() for file in files(tmp_path))
    assert await context(sqlite, "two") == "kept a kept | a"
