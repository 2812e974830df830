"""A page, a browser that shows it, a scripted model, and a gateway process between them.

The gateway and the browser are started once, so all these tests share one event loop.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
import pytest_asyncio
from msgspec import Struct

from gateway.testing import ScriptedUpstream, json_answer, page

from .chromium import chromium, open_tab, program
from .claude import Claude
from .computers import AgentsComputer
from .gemini import Gemini, OlderGemini
from .interactions import InteractingGemini
from .models import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

PAGE = Path(__file__).with_name("page.html").read_text()
MODELS = {
    "claude": Claude,
    "gemini": Gemini,
    "older-gemini": OlderGemini,
    "interactions": InteractingGemini,
}
PREVIEW = "computer-use-preview"  # by this beginning openai-agents knows a model of the older tool


def model_list(upstream: str) -> list[dict[str, Any]]:
    providers = {
        "claude": ("anthropic", upstream),
        "gemini": ("gemini", f"{upstream}/v1beta"),
        "older-gemini": ("gemini", f"{upstream}/v1beta"),
        "interactions": ("gemini_interactions", f"{upstream}/v1beta"),
    }
    return [
        {
            "model_name": alias,
            "params": {
                "model": f"{provider}/{MODELS[name].name}",
                "base_url": base_url,
                "api_key": "sk-invented",
                "retries": 0,
            },
        }
        for name, (provider, base_url) in providers.items()
        for alias in (name, f"{PREVIEW}-{name}")
    ]


@pytest.fixture(scope="session")
def devtools(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    path = program()
    if path is None:
        pytest.skip("no Chromium on this machine: Debian has chromium-headless-shell")
    with chromium(path, tmp_path_factory.mktemp("chromium")) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def proxy(
    devtools: str, shared_upstream: ScriptedUpstream, run_gateway: RunGateway
) -> Generator[GatewayProcess]:
    with run_gateway({"model_list": model_list(shared_upstream.url)}) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="session")
async def upstream(shared_upstream: ScriptedUpstream) -> ScriptedUpstream:
    """Return a server that serves the page and takes its form, but plays no model yet."""
    shared_upstream.forget()
    shared_upstream.handle("/", lambda _: page(PAGE))
    shared_upstream.handle("/guests", lambda _: json_answer({}))
    return shared_upstream


@pytest_asyncio.fixture(loop_scope="session")
async def computer(devtools: str, upstream: ScriptedUpstream) -> AsyncGenerator[AgentsComputer]:
    """Return a browser's tab that shows the page."""
    async with open_tab(devtools, f"{upstream.url}/", AgentsComputer) as tab:
        yield tab


@pytest.fixture(params=MODELS)
def alias(request: pytest.FixtureRequest) -> str:
    return request.param


class Task(Struct, frozen=True, kw_only=True):
    """What has to be done: by which model, on which computer, for which page's server."""

    model: ScriptedModel
    computer: AgentsComputer
    upstream: ScriptedUpstream

    def check(self, asked: Sequence[str]) -> None:
        """The form arrived as it should, in as many turns, and the person was `asked` of it."""
        forms = [one.json() for one in self.upstream.requests if one.path == "/guests"]
        assert forms == [self.model.guest]
        assert len(self.model.asked) == len(self.model.turns)
        assert [*asked] == [*self.model.warnings]


@pytest.fixture
def task(alias: str, computer: AgentsComputer, upstream: ScriptedUpstream) -> Task:
    """Return the task of the model behind `alias`, which has seen nothing yet."""
    model = MODELS[alias](computer.screens)
    upstream.handle(model.path, model.answer)
    return Task(model=model, computer=computer, upstream=upstream)


@pytest_asyncio.fixture(loop_scope="session")
async def client(proxy: GatewayProcess) -> AsyncGenerator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1", api_key="unused", max_retries=0
    ) as client:
        yield client
