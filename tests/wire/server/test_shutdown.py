"""Stopping: running streams finish, within a limit; nothing new is let in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import ScriptedEngine, Serve

STREAM = b'{"stream":true}'
FIRST, SECOND = b"data: 1\n\n", b"data: 2\n\n"
END = b"0\r\n\r\n"


async def until_refused(port: int) -> None:
    """Connect until nobody listens any more."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was waiting to be accepted
            continue
        writer.close()
        await asyncio.sleep(0)


async def test_a_running_stream_finishes_while_nothing_new_is_let_in(
    serve: Serve, engine: ScriptedEngine
) -> None:
    async with serve() as service:
        exchange = await service.ask(STREAM)
        await exchange.until(FIRST)
        service.stop()
        await until_refused(service.port)
        assert not service.running.done()
        engine.streams[0].gate.set()
        await exchange.until(SECOND)
        assert (await exchange.rest()).endswith(END)
        await service.running


async def test_idle_connections_do_not_delay_the_stop(serve: Serve) -> None:
    async with serve(drain_seconds=600) as service:
        reader, writer = await service.connect()
        writer.write(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"}")
        await service.connect()
        service.stop()
        await service.running


@pytest.mark.parametrize(
    ("drain_seconds", "stops"), [(0.1, 1), (600, 2)], ids=["after the limit", "when told again"]
)
async def test_a_stream_that_goes_on_is_cut_off(
    serve: Serve, engine: ScriptedEngine, drain_seconds: float, stops: int
) -> None:
    async with serve(drain_seconds=drain_seconds) as service:
        exchange = await service.ask(STREAM)
        await exchange.until(FIRST)
        for _ in range(stops):
            service.stop()
        assert not (await exchange.rest()).endswith(END)
        await engine.streams[0].closed.wait()
        await service.running


async def test_a_request_that_is_cut_off_can_tidy_up(serve: Serve, engine: ScriptedEngine) -> None:
    begun, tidied = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(100):
                await asyncio.sleep(0)
            tidied.set()

    engine.work = work
    async with serve(drain_seconds=0) as service:
        await service.ask(b"{}")
        await begun.wait()
        service.stop()
        await service.running
        assert tidied.is_set()


async def test_a_client_that_has_gone_to_sleep_does_not_hold_up_the_end(
    serve: Serve, engine: ScriptedEngine
) -> None:
    engine.second = b"x" * 50_000_000  # more than any buffer between the two
    async with serve(drain_seconds=0) as service:
        exchange = await service.ask(STREAM)
        await exchange.until(FIRST)
        engine.streams[0].gate.set()
        service.stop()
        async with asyncio.timeout(10):
            await service.running
