"""Processes that are started on demand, shared, replaced and stopped."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from gateway.errors import UpstreamUnavailableError, UpstreamUnreachableError
from gateway.plugin.deployment import Deployment
from gateway.upstream.launch import Launcher

SMALL = Deployment(alias="small", provider="local", model="smollm2", account="acct_1")
LARGE = Deployment(alias="large", provider="local", model="largellm", account="acct_1")


class Processes:
    """A `launch` that starts nothing but remembers what was asked of it, and by which task."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.starting = asyncio.Event()
        self.ready = asyncio.Event()
        self.ready.set()
        self.failures: list[BaseException] = []

    @asynccontextmanager
    async def launch(self, deployment: Deployment) -> AsyncGenerator[str]:
        task = asyncio.current_task()
        self.log.append(f"start {deployment.model}")
        self.starting.set()
        try:
            await self.ready.wait()
            if self.failures:
                raise self.failures.pop(0)
            yield f"http://127.0.0.1:{len(self.log)}"
        finally:
            assert asyncio.current_task() is task
            for _ in range(9):
                await asyncio.sleep(0)  # stopping takes its time
            self.log.append(f"stop {deployment.model}")


@pytest.fixture
async def processes() -> Processes:
    return Processes()


async def test_the_first_use_starts_and_later_ones_share(processes: Processes) -> None:
    async with Launcher() as launcher:
        first = await launcher.base_url(SMALL, processes.launch)
        other_name = replace(SMALL, alias="tiny")
        assert await launcher.base_url(other_name, processes.launch) == first
        assert processes.log == ["start smollm2"]
    assert processes.log == ["start smollm2", "stop smollm2"]


async def test_other_quirks_are_another_process(processes: Processes) -> None:
    async with Launcher() as launcher:
        first = await launcher.base_url(SMALL, processes.launch)
        longer = replace(SMALL, quirks={"context": 8192})
        assert await launcher.base_url(longer, processes.launch) != first


async def test_callers_that_come_together_wait_for_one_start(processes: Processes) -> None:
    processes.ready.clear()
    async with Launcher() as launcher, asyncio.TaskGroup() as tasks:
        callers = [tasks.create_task(launcher.base_url(SMALL, processes.launch)) for _ in range(5)]
        await processes.starting.wait()
        callers[0].cancel()  # the others still get theirs
        processes.ready.set()
    assert callers[0].cancelled()
    assert len({caller.result() for caller in callers[1:]}) == 1
    assert processes.log == ["start smollm2", "stop smollm2"]


async def test_all_are_stopped_the_last_first(processes: Processes) -> None:
    async with Launcher() as launcher:
        await launcher.base_url(SMALL, processes.launch)
        await launcher.base_url(LARGE, processes.launch)
        await launcher.aclose()
        assert processes.log[2:] == ["stop largellm", "stop smollm2"]
        with pytest.raises(UpstreamUnreachableError, match="not started any more"):
            await launcher.base_url(SMALL, processes.launch)


async def test_a_start_that_fails_is_told_and_does_not_spoil_the_next(processes: Processes) -> None:
    processes.failures = [ImportError("no module named 'llm'"), UpstreamUnavailableError("no room")]
    async with Launcher() as launcher:
        with pytest.raises(UpstreamUnreachableError, match="could not be started: no module") as e:
            await launcher.base_url(SMALL, processes.launch)
        assert isinstance(e.value.__cause__, ImportError)
        with pytest.raises(UpstreamUnavailableError, match="no room"):
            await launcher.base_url(SMALL, processes.launch)
        assert await launcher.base_url(SMALL, processes.launch)


async def test_a_start_that_is_cancelled_from_within_is_a_failure(processes: Processes) -> None:
    processes.failures = [asyncio.CancelledError()]
    async with Launcher() as launcher:
        with pytest.raises(UpstreamUnreachableError, match="could not be started"):
            await launcher.base_url(SMALL, processes.launch)


async def test_a_start_under_way_is_cut_short_when_the_gateway_stops(processes: Processes) -> None:
    processes.ready.clear()
    async with asyncio.TaskGroup() as tasks:
        async with Launcher() as launcher:
            waiting = tasks.create_task(failed(launcher, processes))
            await processes.starting.wait()
        assert "told to stop" in await waiting
    assert processes.log == ["start smollm2", "stop smollm2"]


async def failed(launcher: Launcher, processes: Processes) -> str:
    with pytest.raises(UpstreamUnreachableError) as caught:
        await launcher.base_url(SMALL, processes.launch)
    return caught.value.message


async def test_what_is_forgotten_is_stopped_and_then_started_anew(processes: Processes) -> None:
    async with Launcher() as launcher:
        first = await launcher.base_url(SMALL, processes.launch)
        launcher.forget(replace(SMALL, base_url=first))
        second = await launcher.base_url(SMALL, processes.launch)
        assert second != first
        assert processes.log == ["start smollm2", "stop smollm2", "start smollm2"]
        launcher.forget(replace(SMALL, base_url=first))  # somebody who has not heard of it
        assert await launcher.base_url(SMALL, processes.launch) == second
        launcher.forget(LARGE)


async def test_a_stop_that_fails_is_logged_and_does_not_keep_others_from_stopping(
    processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    @asynccontextmanager
    async def clumsy(deployment: Deployment) -> AsyncGenerator[str]:
        yield "http://127.0.0.1:9"
        raise OSError("it would not go")

    with caplog.at_level(logging.WARNING):
        async with Launcher() as launcher:
            await launcher.base_url(SMALL, processes.launch)
            await launcher.base_url(LARGE, clumsy)
    assert processes.log == ["start smollm2", "stop smollm2"]
    assert [record.message for record in caplog.records] == ["local did not stop cleanly"]


async def test_an_error_of_the_user_passes_through_and_all_is_stopped(processes: Processes) -> None:
    async def use() -> None:
        async with Launcher() as launcher:
            await launcher.base_url(SMALL, processes.launch)
            raise KeyError("mine")

    with pytest.raises(KeyError):
        await use()
    assert processes.log == ["start smollm2", "stop smollm2"]
