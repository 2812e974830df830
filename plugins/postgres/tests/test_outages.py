"""A database that is away, slow, full or wrong: a clear error, in time, and then it goes on."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, Protocol

import asyncpg
import pytest
from msgspec.structs import replace

from gateway.errors import ConfigError, StoreError
from gateway.plugin import Conversation, Page, StoreSettings
from gateway.testing.store_samples import TENANT, context, items, save
from gateway_postgres.store import PostgresStore, open_store
from gateway_postgres.testing import PostgresServer

IN_TIME = 5.0  # seconds; far more than a store which gives up after one may take
TALK = Conversation(id="talk", tenant=TENANT, created_at=1.0)


class Wire(Protocol):
    def cut(self) -> None: ...
    def cut_during(self, round_trip: int) -> None: ...
    def mend(self) -> None: ...
    def replace(self) -> None: ...


@pytest.fixture
async def hasty(settings: StoreSettings) -> AsyncGenerator[PostgresStore]:
    """Return a store that gives up after a second."""
    async with open_store(replace(settings, timeout=1.0)) as store:
        yield store


@pytest.fixture
def stopped(server: PostgresServer, url: str) -> Generator[str]:
    """Return the URL of a database whose server is not running; the test may start it."""
    server.stop()
    yield url
    if not server.running:
        server.start()


@asynccontextmanager
async def table_locked(url: str, table: str) -> AsyncGenerator[None]:
    """Keep everybody else from `table`."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute(f"LOCK TABLE gateway.{table} IN ACCESS EXCLUSIVE MODE")
        yield
    await connection.close()


async def failure(store: PostgresStore, name: str = "one") -> str:
    """Return what a save fails with, within reasonable time."""
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(StoreError) as raised:
            await save(store, name, "q", "a")
    return str(raised.value)


async def write_on(store: PostgresStore, name: str, stop: asyncio.Event) -> list[str]:
    """Save one response after another; return those that the store said it has."""
    written: list[str] = []
    for turn in range(1_000_000):
        if stop.is_set():
            break
        try:
            await save(store, f"{name}-{turn}", f"q{turn}", f"a{turn}")
            written.append(f"{name}-{turn}")
        except StoreError:
            await asyncio.sleep(0)
    return written


async def test_a_server_that_is_down_at_the_start_may_come_later(
    server: PostgresServer, stopped: str
) -> None:
    settings = StoreSettings(directory=Path(), url=stopped, timeout=5.0)
    async with open_store(settings) as store:
        assert not await store.ready()
        assert await failure(store) == "the database cannot be reached"
        server.start()
        assert await store.ready()
        await save(store, "one", "q", "a")
        assert await context(store, "one") == "q | a"


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_what_was_acknowledged_outlives_a_restart_of_the_server_under_load(
    server: PostgresServer, store: PostgresStore, mode: Literal["fast", "immediate"]
) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write_on(store, f"w{n}", stop)) for n in range(8)]
        await save(store, "before", "q", "a")
        await asyncio.to_thread(server.stop, mode)
        while await store.ready():
            pass
        await failure(store, "during")
        await asyncio.to_thread(server.start)
        assert await store.ready()
        await save(store, "after", "q", "a")
        stop.set()
    written = [name for writer in writers for name in writer.result()]
    assert {"before", "after", *written}
    for name in ("before", "after", *written):
        assert await store.load(TENANT, name) is not None


async def test_ended_connections_are_replaced(store: PostgresStore, url: str) -> None:
    await asyncio.gather(*(save(store, f"r{n}", "q", "a") for n in range(20)))
    connection = await asyncpg.connect(url)
    ended = await connection.fetch(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    assert len(ended) > 1
    await connection.close()
    for n in range(20):
        assert await context(store, f"r{n}") == "q | a"


async def test_an_operation_whose_connection_is_ended_says_so(
    store: PostgresStore, url: str
) -> None:
    await save(store, "one", "q", "a")
    async with table_locked(url, "responses"):
        waiting = asyncio.create_task(failure(store, "two"))
        connection = await asyncpg.connect(url)
        while not await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            pass
        await connection.close()
        assert "the connection" in await waiting
    await save(store, "two", "q", "a")


async def test_a_statement_that_waits_for_a_lock_gives_up(hasty: PostgresStore, url: str) -> None:
    await save(hasty, "one", "q", "a")
    async with table_locked(url, "responses"):
        assert "waited for a lock" in await failure(hasty, "two")
    await save(hasty, "two", "q", "a")
    assert await context(hasty, "two") == "q | a"


async def test_all_connections_in_use_are_an_error_in_time(hasty: PostgresStore, url: str) -> None:
    await save(hasty, "zero", "q", "a")
    async with table_locked(url, "responses"):
        told = await asyncio.gather(*(failure(hasty, f"r{n}") for n in range(40)))
    assert {text.partition(",")[0] for text in told} == {
        "the database took too long for a statement",
        "the database did not answer in time",
    }
    await asyncio.gather(*(save(hasty, f"r{n}", "q", "a") for n in range(40)))


async def test_more_operations_than_connections_take_turns(store: PostgresStore) -> None:
    await asyncio.gather(*(save(store, f"r{n}", f"q{n}", "a") for n in range(300)))
    found = await asyncio.gather(*(context(store, f"r{n}") for n in range(300)))
    assert found == [f"q{n} | a" for n in range(300)]


async def test_a_server_that_is_silent_is_left_and_tried_anew(
    wired: PostgresStore, wire: Wire
) -> None:
    await asyncio.gather(*(save(wired, f"r{n}", "q", "a") for n in range(20)))
    wire.cut()
    async with asyncio.timeout(1.8):  # nobody waits for a goodbye, either
        assert await failure(wired) == "the database did not answer in time"
    assert await failure(wired) == "the database did not answer in time"
    wire.mend()
    await save(wired, "two", "q", "a")
    assert await context(wired, "two") == "q | a"


async def test_connections_that_lead_nowhere_cost_one_operation_only(
    wired: PostgresStore, wire: Wire
) -> None:
    await asyncio.gather(*(save(wired, f"r{n}", "q", "a") for n in range(20)))
    wire.replace()
    assert await failure(wired) == "the database did not answer in time"
    for n in range(20):
        assert await context(wired, f"r{n}") == "q | a"


@pytest.mark.parametrize("round_trip", range(1, 12))
async def test_a_server_that_falls_silent_while_it_is_set_up_is_an_error_in_time(
    wired: PostgresStore, wire: Wire, round_trip: int
) -> None:
    wire.cut_during(round_trip)
    assert await failure(wired) == "the database did not answer in time"
    wire.mend()
    await save(wired, "one", "q", "a")
    assert await context(wired, "one") == "q | a"


async def test_a_server_that_is_silent_from_the_start_is_an_error_in_time(
    wired: PostgresStore, wire: Wire
) -> None:
    wire.cut()
    assert await failure(wired) == "the database did not answer in time"
    wire.mend()
    assert await wired.ready()


async def test_who_stops_waiting_leaves_the_store_as_it_was(
    wired: PostgresStore, wire: Wire
) -> None:
    await save(wired, "zero", "q", "a")
    wire.cut()
    waiting = [asyncio.create_task(save(wired, f"r{n}", "q", "a")) for n in range(30)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in ended} == {asyncio.CancelledError}
    wire.mend()
    for n in range(30):
        assert await context(wired, f"r{n}") in ("q | a", "gone")
        await save(wired, f"r{n}", "q", "a")
        assert await context(wired, f"r{n}") == "q | a"


async def test_a_statement_that_nobody_waits_for_ends_in_the_server_too(
    store: PostgresStore, url: str
) -> None:
    await save(store, "one", "q", "a")
    connection = await asyncpg.connect(url)

    async def waiting() -> int:
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

    async with table_locked(url, "responses"):
        task = asyncio.create_task(save(store, "two", "q", "a"))
        while not await waiting():
            pass
        task.cancel()
        assert [type(each) for each in await asyncio.gather(task, return_exceptions=True)] == [
            asyncio.CancelledError
        ]
        assert await waiting() == 0
    await connection.close()
    assert await context(store, "two") == "gone"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("53100", "the disk of the database is full (SQLSTATE 53100)"),
        ("25006", "the database is read-only"),
        ("XX000", "the database refused a statement (SQLSTATE XX000)"),
    ],
)
async def test_a_server_that_refuses_is_quoted_by_its_state(
    store: PostgresStore, url: str, state: str, told: str
) -> None:
    """The refusals are invented, by a trigger."""
    assert await store.ready()
    connection = await asyncpg.connect(url)
    await connection.execute(f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '{state}'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON gateway.items
        FOR EACH ROW EXECUTE FUNCTION refuse();
    """)
    said = await failure(store)
    assert said.startswith(told)
    assert "secret" not in said
    assert await store.load(TENANT, "one") is None
    await connection.execute("DROP TRIGGER refuse ON gateway.items")
    await connection.close()
    await save(store, "one", "q", "a")


async def test_whatever_is_asked_of_a_dead_store_is_a_store_error(
    wired: PostgresStore, wire: Wire
) -> None:
    wire.cut()
    async with asyncio.timeout(IN_TIME):
        asked = await asyncio.gather(
            wired.load(TENANT, "one"),
            wired.history(TENANT, "one"),
            wired.input_items(TENANT, "one", Page()),
            wired.items(TENANT, ["one"]),
            wired.delete(TENANT, "one"),
            wired.purge(0.0),
            wired.create_conversation(TALK, items("x")),
            wired.remove_item(TENANT, "talk", "x"),
            wired.lock(TENANT, "talk", "me", now=0, until=1),
            wired.claim("me", now=0, until=1),
            wired.renew("me", ["one"], until=1),
            wired.events(TENANT, "one", -1),
            return_exceptions=True,
        )
    assert {type(each) for each in asked} == {StoreError}
    assert not await wired.ready()


async def use(url: str) -> None:
    """Open a store and save something there."""
    async with open_store(StoreSettings(directory=Path(), url=url)) as store:
        assert not await store.ready()
        await save(store, "one", "q", "a")


def told(error: BaseException | None) -> str:
    """Return what an error says, and all that led to it."""
    return f"{error}\n{told(error.__cause__ or error.__context__)}" if error else ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite:///hunter2",
        "postgres://me:hunter2@server/base?sslmode=on",
        "postgres://me:hunter2/3@server/base",
        "postgres://me:hunter2@server:port/base",
        "postgres://me:hunter2@server:5432,other:port/base",
        "postgres://me:hunter2@[::1/base",
    ],
)
async def test_a_url_that_can_never_work_is_an_error_at_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match=r"state\.url") as raised:
        await use(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1/postgres", "the database cannot be reached"),
        ("127.0.0.1:{port}/nowhere", "the database that state.url names does not exist"),
        ("127.0.0.1:{port}/postgres?sslmode=require", "the database cannot be reached"),
        ("127.0.0.1:{port}/postgres?nonsense=hunter2", "the database refused a statement"),
        ("name.invalid/postgres", "the database cannot be reached"),
    ],
)
async def test_no_error_tells_the_password(
    server: PostgresServer, address: str, reason: str
) -> None:
    url = f"postgresql://postgres:hunter2@{address.format(port=server.port)}"
    with pytest.raises(StoreError, match=reason) as raised:
        await use(url)
    assert "hunter2" not in told(raised.value)


async def test_a_user_that_may_not_connect_is_told_what_is_wrong(server: PostgresServer) -> None:
    url = server.url().replace("//postgres@", "//stranger:hunter2@")
    with pytest.raises(StoreError, match=r"refused the user or password of state\.url"):
        await use(url)
