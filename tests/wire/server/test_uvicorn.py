"""The application is plain ASGI: under uvicorn, from a file, it keeps the same promises."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest
import uvicorn

from gateway.http.app import app_from_config
from gateway.testing import ScriptedUpstream, event_stream

FIRST = b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n'
STREAM = {"model": "fast", "input": "hello", "stream": True}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def file(upstream: ScriptedUpstream, tmp_path: Path) -> Path:
    parameters = {"model": "openai/gpt-invented", "api_key": "sk-invented"}
    parameters["base_url"] = f"{upstream.url}/v1"
    config = {
        "model_list": [{"model_name": "fast", "params": parameters}],
        "state": {"directory": str(tmp_path)},
    }
    path = tmp_path / "gateway.yaml"
    path.write_text(json.dumps(config))  # JSON is YAML
    return path


@asynccontextmanager
async def under_uvicorn(file: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    config = uvicorn.Config(
        partial(app_from_config, file), factory=True, log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listener]))
            async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
                yield client
            server.should_exit = True


async def test_it_is_ready_and_lists_its_models(file: Path) -> None:
    async with under_uvicorn(file) as client:
        assert (await client.get("/health/ready")).json() == {"status": "ok", "store": "ok"}
        assert (await client.get("/v1/models")).json()["data"][0]["id"] == "fast"


async def test_a_client_that_leaves_cancels_the_upstream(
    file: Path, upstream: ScriptedUpstream
) -> None:
    upstream.add(event_stream(FIRST, asyncio.Event()))
    async with under_uvicorn(file) as client:
        async with client.stream("POST", "/v1/responses", json=STREAM) as answer:
            assert b"response.created" in await anext(answer.aiter_bytes())
        await upstream.disconnected()


async def test_a_refused_upload_gets_its_answer(file: Path) -> None:
    async with under_uvicorn(file) as client:
        answer = await client.post("/v1/nothing", content=b"x" * 1_000_000)
        assert (answer.status_code, answer.json()["error"]["type"]) == (
            404,
            "invalid_request_error",
        )


async def test_an_upgrade_to_websocket_is_refused(file: Path) -> None:
    upgrade = {"connection": "Upgrade", "upgrade": "websocket"}
    async with under_uvicorn(file) as client:
        assert (await client.get("/v1/responses", headers=upgrade)).status_code == 426
