"""Several nodes on one database: they start at once, share the work, and die without harm."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from gateway.errors import NotFoundError, StoreError
from gateway.plugin import Store, StoreSettings
from gateway.testing.store_samples import TENANT, context, empty, enqueue, items, record, save
from gateway_postgres import statements
from gateway_postgres.rows import item_columns
from gateway_postgres.store import PostgresStore, open_store

WRITER = """
import asyncio, sys
from pathlib import Path
from gateway.plugin import StoreSettings
from gateway.testing.store_samples import save
from gateway_postgres import statements
from gateway_postgres.rows import item_columns
from gateway_postgres.store import open_store

async def write(store, name):
    for turn in range(1_000_000):
        last = f"{name}-{turn - 1}" if turn else ""
        await save(store, f"{name}-{turn}", f"q{turn}", f"a{turn}", origin=last)
        print(f"{name}-{turn}", flush=True)

async def main():
    settings = StoreSettings(directory=Path(), url=sys.argv[1])
    async with open_store(settings) as store, asyncio.TaskGroup() as group:
        for writer in range(8):
            group.create_task(write(store, f"{sys.argv[2]}-{writer}"))

asyncio.run(main())
"""


@pytest.fixture
async def other(settings: StoreSettings) -> AsyncGenerator[PostgresStore]:
    """Return the store of another node."""
    async with open_store(settings) as store:
        yield store


async def test_nodes_may_start_at_once(settings: StoreSettings, url: str) -> None:
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(open_store(settings)) for _ in range(12)]
        assert await asyncio.gather(*(store.ready() for store in stores)) == [True] * 12
        await save(stores[0], "one", "q", "a")
        assert await context(stores[-1], "one") == "q | a"
    connection = await asyncpg.connect(url)
    applied = await connection.fetch("SELECT version FROM gateway.versions_applied")
    await connection.close()
    assert [row["version"] for row in applied] == [1, 2]


async def test_a_newer_schema_is_left_alone(settings: StoreSettings, url: str) -> None:
    async with open_store(settings) as store:
        assert await store.ready()
    connection = await asyncpg.connect(url)
    await connection.execute("INSERT INTO gateway.versions_applied VALUES (99)")
    await connection.close()
    async with open_store(settings) as store:
        with pytest.raises(StoreError, match="has version 99 of the schema and this gateway knows"):
            await store.load(TENANT, "one")


async def test_a_user_that_may_not_create_schemas_can_be_given_one(
    settings: StoreSettings, url: str
) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE ROLE modest LOGIN")
    modest = StoreSettings(directory=settings.directory, url=url.replace("postgres@", "modest@"))
    async with open_store(modest) as store:
        with pytest.raises(StoreError, match="needs a schema `gateway` of its own"):
            await store.load(TENANT, "one")
        await connection.execute("CREATE SCHEMA gateway AUTHORIZATION modest")
        await save(store, "one", "q", "a")
        assert await context(store, "one") == "q | a"
    await connection.close()


async def test_a_schema_of_an_older_gateway_is_brought_up_to_date(
    settings: StoreSettings, url: str
) -> None:
    async with open_store(settings) as store:
        await save(store, "one", "q", "a")
    connection = await asyncpg.connect(url)
    await connection.execute("DROP TABLE gateway.marks")
    await connection.execute("DELETE FROM gateway.versions_applied WHERE version > 1")
    await connection.close()
    async with open_store(settings) as store:
        assert await context(store, "one") == "q | a"
        assert await store.mark(TENANT, "once", now=0, until=100)
        assert await store.purge(100) == 1


async def test_of_two_nodes_that_mark_the_same_at_once_one_is_told_that_it_is_new(
    store: PostgresStore, other: PostgresStore
) -> None:
    nodes = [store, other]
    for turn in range(20):
        name, until = f"mark{turn % 10}", 100.0 * (1 + turn // 10)
        now = until - 100.0
        told = await asyncio.gather(
            *(nodes[n % 2].mark(TENANT, name, now=now, until=until) for n in range(50))
        )
        assert sorted(told) == [False] * 49 + [True]


async def test_what_is_marked_anew_while_it_is_purged_counts_once(
    store: PostgresStore, other: PostgresStore
) -> None:
    for turn in range(30):
        assert await store.mark(TENANT, f"mark{turn}", now=0, until=100)
        *told, _, _ = await asyncio.gather(
            *(node.mark(TENANT, f"mark{turn}", now=100, until=200) for node in (store, other)),
            other.purge(100),
            store.purge(100),
        )
        assert sorted(told) == [False, True]
        assert not await other.mark(TENANT, f"mark{turn}", now=100, until=200)


async def test_two_nodes_share_the_work_and_do_nothing_twice(
    store: PostgresStore, other: PostgresStore
) -> None:
    await asyncio.gather(*(enqueue(store, f"r{n}", f"q{n}") for n in range(200)))

    async def work(node: Store, owner: str) -> list[str]:
        done: list[str] = []
        while found := await node.claim(owner, now=0, until=100):
            assert found.attempts == 1
            made = record(found.response_id)
            assert await node.finish(owner, made, items(f"a-{owner}"), [(0, b"done")])
            done.append(found.response_id)
        return done

    nodes = [store, other] * 4
    done = await asyncio.gather(*(work(node, f"owner{n}") for n, node in enumerate(nodes)))
    assert Counter(name for one in done for name in one) == Counter(f"r{n}" for n in range(200))
    assert sum(1 for one in done if one) > 1


async def test_what_one_node_forgets_another_can_build_on_at_the_same_time(
    store: PostgresStore, other: PostgresStore
) -> None:
    """With every save one that it builds on is deleted, and both nodes purge all the while."""
    chance = random.Random(20261122)
    kept: dict[str, str] = {"r0": "q0 | a0"}
    await save(store, "r0", "q0", "a0")

    async def grow(turn: int) -> None:
        parent = chance.choice([*kept])
        before = kept[parent].replace("| ", "")
        node, third = (store, other)[turn % 2], (store, other)[turn // 2 % 2]
        name, own = f"r{turn}", f"q{turn} shared{turn % 3}"

        async def follow() -> None:
            try:
                await save(node, name, own, "yes", origin=parent)
            except NotFoundError:  # the parent went first
                await save(node, name, f"{before} {own}", "yes")

        _, deleted, _ = await asyncio.gather(
            follow(),
            third.delete(TENANT, parent),
            asyncio.gather(store.purge(0), other.purge(0)),
        )
        assert deleted
        del kept[parent]
        kept[name] = f"{before} {own} | yes"

    for turn in range(1, 150):
        await grow(turn)
        if turn % 10 == 0:
            await save(other, f"s{turn}", f"q{turn}", "yes")
            kept[f"s{turn}"] = f"q{turn} | yes"
    for name, said in kept.items():
        assert await context(other, name) == said


async def test_what_is_written_again_just_when_it_would_be_forgotten_stays(
    store: PostgresStore, url: str
) -> None:
    await save(store, "one", "q", "a")
    await store.delete(TENANT, "one")
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        keys = item_columns(TENANT, items("q a"))
        again = (TENANT, "two", 1.0, 2.0, "completed", "m", b"{}", "", "", *keys, 1)
        assert await connection.fetchval(statements.SAVE, *again) == "new"
        purging = asyncio.create_task(store.purge(0))
        while not await connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
        ):
            pass
    await connection.close()
    assert await purging > 0
    assert await context(store, "two") == "q | a"


async def test_nothing_stays_behind_when_everything_is_forgotten(
    store: PostgresStore, other: PostgresStore, url: str
) -> None:
    await asyncio.gather(
        *(save((store, other)[n % 2], f"r{n}", f"q{n} shared", "yes") for n in range(50))
    )
    await asyncio.gather(
        *(save(store, f"s{n}", f"t{n}", "yes", origin=f"r{n}") for n in range(50)),
        *(other.delete(TENANT, f"r{n}") for n in range(50)),
        return_exceptions=True,  # what is to grow from what has gone already
    )
    await asyncio.gather(*(store.delete(TENANT, f"s{n}") for n in range(50)))
    await asyncio.gather(empty(store, 0), empty(other, 0))
    await empty(store, 0)
    connection = await asyncpg.connect(url)
    for table in ("items", "nodes", "entries", "loose", "responses"):
        assert await connection.fetchval(f"SELECT count(*) FROM gateway.{table}") == 0
    await connection.close()


async def test_a_node_that_is_killed_while_it_writes_loses_nothing_that_it_acknowledged(
    store: PostgresStore, url: str
) -> None:
    assert await store.ready()
    chance = random.Random(20261122)
    for life in range(5):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, url, f"life{life}", stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        told = b"".join([await process.stdout.readline() for _ in range(chance.randrange(1, 200))])
        os.kill(process.pid, signal.SIGKILL)
        told += await process.stdout.read()
        await process.wait()
        for name in told.decode().split("\n")[:-1]:
            turn = int(name.rpartition("-")[2])
            said = await context(store, name)
            assert said.endswith(f"q{turn} | a{turn}")
            assert len(said.split()) == 2 * turn + 3
