"""A gateway process whose store fails: a damaged file, and one that somebody else holds.

What the upstream says is invented.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
import pytest_asyncio

from gateway.testing import Script, ScriptedUpstream

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

    from .conftest import Invented

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 20.0  # seconds
TIMEOUT = 0.3  # seconds that the store may take
GONE = "the store does not answer: "
BACK = "the store answers again"


class Served:
    """A gateway process, and clients of it."""

    def __init__(self, process: GatewayProcess, http: httpx2.AsyncClient) -> None:
        self._process = process
        self.http = http
        self.sdk = openai.AsyncOpenAI(
            base_url=f"{process.url}/v1", api_key="any", max_retries=0, http_client=http
        )

    async def create(self, **body: Any) -> Any:
        return await self.sdk.responses.create(model="chatty", input="hello", **body)

    async def stream(self, **body: Any) -> list[Any]:
        return [event async for event in await self.create(stream=True, **body)]

    async def ready(self) -> Mapping[str, str]:
        answer = await self.http.get("/health/ready")
        assert answer.status_code == 200
        return answer.json()

    async def recovered(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                if (await self.ready())["store"] == "ok":
                    return
                await asyncio.sleep(0.05)

    def said(self, words: str) -> int:
        """Return how many lines of the log say `words`."""
        return sum(words in line for line in self._process.log.splitlines())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "responses.sqlite"


@pytest.fixture
def damaged(file: Path) -> Path:
    """Return where the store is, damaged."""
    file.write_bytes(b"this is no database " * 500)
    return file


@pytest_asyncio.fixture(loop_scope="session")
async def chat(upstream: ScriptedUpstream, invented: Invented) -> ScriptedUpstream:
    """Return an upstream that answers everything."""

    def answer(request: object) -> Script:
        return invented.chat({"content": "Luna "}, {"content": "slept."})

    upstream.handle("/chat/v1/chat/completions", answer)
    return upstream


@asynccontextmanager
async def serving(
    run_gateway: RunGateway, upstream: ScriptedUpstream, **state: Any
) -> AsyncGenerator[Served]:
    params = {
        "model": "openai_compatible/m",
        "base_url": f"{upstream.url}/chat/v1",
        "api_key": "sk-invented",
    }
    config = {
        "model_list": [{"model_name": "chatty", "params": params}],
        "state": {"timeout": TIMEOUT, **state},
    }
    with run_gateway(config) as process:
        async with httpx2.AsyncClient(base_url=process.url, trust_env=False) as http:
            yield Served(process, http)


@contextmanager
def somebody_writes(file: Path) -> Generator[None]:
    """Hold the file as another process would that does not come to an end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def test_a_gateway_starts_with_a_damaged_store_and_heals(
    run_gateway: RunGateway, chat: ScriptedUpstream, damaged: Path
) -> None:
    async with serving(run_gateway, chat, directory=str(damaged.parent)) as served:
        whole, events = await served.create(), await served.stream()
        assert (whole.output_text, whole.store) == ("Luna slept.", False)
        assert (events[-1].type, events[-1].response.store) == ("response.completed", False)
        assert await served.ready() == {"status": "ok", "store": "unavailable"}
        with pytest.raises(openai.InternalServerError) as refused:
            await served.sdk.responses.retrieve(whole.id)
        assert (refused.value.status_code, refused.value.code) == (503, "store_unavailable")
        assert served.said(GONE) == 1
        await asyncio.to_thread(damaged.unlink)
        await served.recovered()
        assert served.said(BACK) == 1
        kept = await served.create()
        assert kept.store is True
        assert (await served.sdk.responses.retrieve(kept.id)).output_text == "Luna slept."


async def test_what_is_to_be_kept_fails_while_the_store_hangs(
    run_gateway: RunGateway, chat: ScriptedUpstream, file: Path
) -> None:
    async with serving(run_gateway, chat, directory=str(file.parent)) as served:
        kept = await served.create()
        with somebody_writes(file):
            body = {"model": "chatty", "input": "hello", "stream": True, "store": True}
            told = (await served.http.post("/v1/responses", json=body)).text
            kinds = [line[7:] for line in told.splitlines() if line.startswith("event: ")]
            assert kinds[-2:] == ["error", "response.failed"]
            assert "response.completed" not in kinds
            assert '"code":"store_unavailable"' in told
            asked = len(chat.requests)
            for wish in ({"store": True}, {"background": True}):
                with pytest.raises(openai.InternalServerError) as refused:
                    await served.create(**wish)
                assert refused.value.code == "store_unavailable"
            assert len(chat.requests) == asked
            assert (await served.create()).store is False
            assert (await served.ready())["store"] == "unavailable"
            assert await served.sdk.responses.retrieve(kept.id) == kept  # reading goes on
            assert served.said(GONE) == 1
        await served.recovered()
        assert (await served.create(store=True)).store is True
        assert (served.said(GONE), served.said(BACK)) == (1, 1)


async def test_a_gateway_that_keeps_nothing_says_so(
    run_gateway: RunGateway, chat: ScriptedUpstream, file: Path
) -> None:
    async with serving(run_gateway, chat, directory=str(file.parent), store="none") as served:
        whole, events = await served.create(), await served.stream()
        assert whole.store is False
        assert {e.response.store for e in events if hasattr(e, "response")} == {False}
        assert await served.ready() == {"status": "ok", "store": "none"}
        asked = len(chat.requests)
        for wish in ("store", "background"):
            with pytest.raises(openai.BadRequestError) as refused:
                await served.create(**{wish: True})
            assert refused.value.code == "unsupported_parameter"
        assert len(chat.requests) == asked
        for look in (served.sdk.responses.retrieve, served.sdk.responses.delete):
            with pytest.raises(openai.NotFoundError):
                await look(whole.id)
    assert not await asyncio.to_thread(file.exists)
