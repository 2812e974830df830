"""A real gateway process between real clients and an upstream that this process plays.

The gateway is started once, so all these tests share one event loop; each has the upstream for
itself. What the upstream says is invented.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
import pytest_asyncio

from gateway.testing import Script, ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess, RunGateway

UPSTREAM_KEY = "sk-invented-upstream-key"
KEYS = {"alpha": "sk-invented-key-of-alpha", "beta": "sk-invented-key-of-beta"}
ALL_KEYS = (*KEYS.values(), UPSTREAM_KEY)
BODY_LIMIT = 200_000
NO_SERVER = "http://127.0.0.1:1/v1"
PATIENCE = 0.5  # seconds that the hasty deployments wait

Act = Callable[[Any], Any]
Refuses = Callable[..., Awaitable[httpx2.Response]]


class Invented:
    """Writes what an upstream might say, for one response or one completion."""

    text = "Luna counted stars."

    def message(self, text: str) -> dict[str, Any]:
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }

    def response(self, text: str = text, **changes: Any) -> dict[str, Any]:
        return {
            "id": "resp_upstream",
            "object": "response",
            "created_at": 1_790_000_000,
            "status": "completed",
            "model": "gpt-upstream-2026-01-01",
            "output": [self.message(text)],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": 3,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": 4,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 7,
            },
            "field_of_tomorrow": {"kept": True},
        } | changes

    def frames(self, text: str = text) -> list[bytes]:
        """Return a stream of events, one frame each, that tells `text` in two deltas."""
        response = self.response(text)
        item = response["output"][0]
        part = item["content"][0]
        begun = {**response, "status": "in_progress", "output": [], "usage": None}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        added = {**item, "status": "in_progress", "content": []}
        pieces = [text[: len(text) // 2], text[len(text) // 2 :]]
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": added},
            {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
            *(
                {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
                for piece in pieces
            ),
            {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
            {"type": "response.content_part.done", **place, "part": part},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": response},
        ]
        return [
            self.frame({**event, "sequence_number": number}) for number, event in enumerate(events)
        ]

    def frame(self, event: Mapping[str, Any]) -> bytes:
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()

    def chat(self, *deltas: Mapping[str, Any], finish: str = "stop") -> Script:
        """Return a streamed completion, one chunk for each of `deltas`."""
        start = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        chunks: list[dict[str, Any]] = [
            *({"choices": [{"index": 0, "delta": delta}]} for delta in deltas),
            {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
            {"choices": [], "usage": usage},
        ]
        return event_stream(
            *(f"data: {json.dumps(start | chunk)}\n\n".encode() for chunk in chunks),
            b"data: [DONE]\n\n",
        )


class SyncSdk:
    """Drives the official SDK's synchronous client, in a thread."""

    def __init__(self, url: str) -> None:
        self.client = openai.OpenAI(base_url=url, api_key=KEYS["alpha"], max_retries=0)

    async def call(self, act: Act) -> Any:
        return await asyncio.to_thread(act, self.client)

    async def iterate(self, act: Act) -> list[Any]:
        return await asyncio.to_thread(lambda: list(act(self.client)))

    async def stream(self, act: Act) -> tuple[list[Any], Any]:
        """Return the events of the `stream()` helper, and its final response."""

        def read() -> tuple[list[Any], Any]:
            with act(self.client) as stream:
                return list(stream), stream.get_final_response()

        return await asyncio.to_thread(read)

    async def close(self) -> None:
        self.client.close()


class AsyncSdk:
    """Drives the official SDK's asynchronous client, the same way."""

    def __init__(self, url: str) -> None:
        self.client = openai.AsyncOpenAI(base_url=url, api_key=KEYS["alpha"], max_retries=0)

    async def call(self, act: Act) -> Any:
        return await act(self.client)

    async def iterate(self, act: Act) -> list[Any]:
        found = act(self.client)
        return [one async for one in (found if hasattr(found, "__aiter__") else await found)]

    async def stream(self, act: Act) -> tuple[list[Any], Any]:
        async with act(self.client) as stream:
            return [event async for event in stream], await stream.get_final_response()

    async def close(self) -> None:
        await self.client.close()


def entry(name: str, model: str, base_url: str, **params: Any) -> dict[str, Any]:
    return {
        "model_name": name,
        "params": {
            "model": model,
            "base_url": base_url,
            "api_key": UPSTREAM_KEY,
            "retries": 0,
            **params,
        },
    }


def model_list(upstream: str) -> Sequence[dict[str, Any]]:
    native, chat = f"{upstream}/v1", f"{upstream}/chat/v1"
    hasty = {"connect": 5, "first_byte": PATIENCE, "idle": PATIENCE}
    return [
        entry("fast", "openai/gpt-upstream", native),
        entry("chatty", "openai_compatible/chat-upstream", chat),
        entry("hasty", "openai/gpt-upstream", native, timeouts=hasty),
        entry("hasty-chatty", "openai_compatible/chat-upstream", chat, timeouts=hasty),
        entry("dead", "openai/gpt-upstream", NO_SERVER),
        entry("nowhere", "openai/gpt-upstream", "http://upstream.invalid/v1"),
    ]


@pytest.fixture(scope="session")
def keys() -> Mapping[str, str]:
    """Return the keys of the two tenants, and the gateway's own at the upstream."""
    return {**KEYS, "upstream": UPSTREAM_KEY}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_upstream() -> AsyncGenerator[ScriptedUpstream]:
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest_asyncio.fixture(loop_scope="session")
async def upstream(shared_upstream: ScriptedUpstream) -> ScriptedUpstream:
    """Return the upstream behind the gateway, with an empty script."""
    shared_upstream.forget()
    return shared_upstream


@pytest.fixture(scope="session")
def proxy(shared_upstream: ScriptedUpstream, run_gateway: RunGateway) -> Generator[GatewayProcess]:
    """Run the gateway that all these tests ask; no key may be in its log when they are done."""
    config = {
        "model_list": model_list(shared_upstream.url),
        "api_keys": [
            {"tenant": tenant, "key": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"}
            for tenant, key in KEYS.items()
        ],
        "server": {"body_limit": BODY_LIMIT, "drain_seconds": 1},
    }
    with run_gateway(config) as process:
        yield process
    assert "sk-invented" not in process.log


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=[SyncSdk, AsyncSdk], ids=["sync", "async"]
)
async def sdk(
    proxy: GatewayProcess, request: pytest.FixtureRequest
) -> AsyncGenerator[SyncSdk | AsyncSdk]:
    """Return a driver of the official SDK, with alpha's key and without retries."""
    driver = request.param(f"{proxy.url}/v1")
    yield driver
    await driver.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http(proxy: GatewayProcess) -> AsyncGenerator[httpx2.AsyncClient]:
    """Return a plain client, with alpha's key."""
    headers = {"authorization": f"Bearer {KEYS['alpha']}"}
    async with httpx2.AsyncClient(
        base_url=f"{proxy.url}/v1", headers=headers, timeout=20
    ) as client:
        yield client


@pytest.fixture(scope="session")
def invented() -> Invented:
    return Invented()


@pytest.fixture
def refuses(http: httpx2.AsyncClient) -> Refuses:
    """Return a function that sends a request and checks its refusal, and returns that.

    Expected are status, type, code and param. The gateway must go on after it.
    """

    async def check(
        expected: tuple[Any, ...], path: str = "/responses", method: str = "POST", **request: Any
    ) -> httpx2.Response:
        answer = await http.request(method, path, **request)
        assert answer.headers["content-type"] == "application/json", answer.text
        error = answer.json()["error"]
        said = (answer.status_code, error["type"], error["code"], error["param"])
        assert said == expected, error["message"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
        assert answer.headers["x-request-id"]
        assert not any(key in f"{answer.headers} {answer.text}" for key in ALL_KEYS)
        assert (await http.get("/health/live")).status_code == 200
        return answer

    return check
