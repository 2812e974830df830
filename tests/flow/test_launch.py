"""Providers that own a process: started when needed, again after a crash, stopped at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.errors import UpstreamUnreachableError
from gateway.plugin import Deployment, Provider
from gateway.testing import ScriptedUpstream

if TYPE_CHECKING:
    from .conftest import OpenGateway, Says


class Processes:
    """Servers that a provider starts; each answers any chat request."""

    def __init__(self, says: Says) -> None:
        self.running: list[ScriptedUpstream] = []
        self.starts = 0
        self._says = says

    @asynccontextmanager
    async def launch(self, deployment: Deployment) -> AsyncGenerator[str]:
        self.starts += 1
        async with ScriptedUpstream() as server:
            server.handle("/v1/chat/completions", lambda _: self._says.chat("Luna"))
            self.running.append(server)
            yield f"{server.url}/v1"
            self.running.remove(server)

    async def crash(self) -> None:
        """End the server behind the provider's back; its launch does not notice."""
        await self.running[0].__aexit__()


@pytest.fixture
def processes(says: Says) -> Processes:
    return Processes(says)


@pytest.fixture
def provider(processes: Processes) -> Provider:
    return Provider(name="own", dialect="chat", launch=processes.launch)


def entry(name: str = "fast", **settings: Any) -> ModelEntry:
    return ModelEntry(name=name, model="own/tiny", retries=0, **settings)


async def test_the_first_use_starts_the_process_for_all(
    open_gateway: OpenGateway, processes: Processes, provider: Provider
) -> None:
    async with open_gateway(entry(), entry("slow"), providers=[provider]) as gateway:
        assert processes.starts == 0
        assert (await gateway.ask())["status"] == "completed"
        assert (await gateway.ask(model="slow"))["status"] == "completed"
        assert processes.starts == 1
    assert processes.running == []


async def test_a_process_may_start_with_the_gateway(
    open_gateway: OpenGateway, processes: Processes, provider: Provider
) -> None:
    async with open_gateway(entry(launch="start"), providers=[provider]):
        assert processes.starts == 1


async def test_after_a_crash_the_request_fails_and_the_next_one_starts_anew(
    open_gateway: OpenGateway, processes: Processes, provider: Provider
) -> None:
    async with open_gateway(entry(), providers=[provider]) as gateway:
        await gateway.ask()
        await processes.crash()
        with pytest.raises(UpstreamUnreachableError):
            await gateway.ask()
        assert (await gateway.ask())["status"] == "completed"
    assert processes.starts == 2
    assert [record.outcome for record in gateway.records] == ["completed", "failed", "completed"]
