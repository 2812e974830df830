"""Clients other than the official SDK, with the oddities that were seen of each."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from gateway.testing import ScriptedUpstream, event_stream, json_answer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from .conftest import Invented

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Shaped as Codex 0.169 shapes them; the contents are invented.
CODEX_HEADERS = {
    "originator": "codex_exec",
    "session-id": "session-1",
    "x-client-request-id": "thread-1",
    "x-codex-turn-metadata": '{"turn_id":"1"}',
    "x-codex-beta-features": "remote_compaction_v2",
}
CODEX: dict[str, Any] = {
    "model": "fast",
    "stream": True,
    "input": [
        {
            "type": "additional_tools",
            "role": "developer",
            "tools": [
                {"type": "namespace", "name": "functions", "description": "", "tools": []},
                {"type": "tool_of_tomorrow", "size": 1.0},
            ],
        },
        {
            "type": "message",
            "id": "msg_made_by_the_client",
            "role": "user",
            "content": [{"type": "input_text", "text": "hello"}],
        },
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "medium", "context": "all_turns"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "session-1",
    "text": {"verbosity": "low"},
    "client_metadata": {"x-codex-installation-id": "invented"},
}
LLAMA_INDEX: dict[str, Any] = {
    "model": "fast",
    "input": [{"role": "user", "content": "hello"}],
    "include": None,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": None,
    "previous_response_id": None,
    "user": None,
    "tools": [],
    "store": False,
    "truncation": "disabled",
}
AI_SDK: dict[str, Any] = {
    "model": "fast",
    "input": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "stars"},
    ],
    "include": [],
}


def unpacked(body: bytes) -> bytes:
    return body


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("identity", unpacked), ("gzip", gzip.compress), ("zstd", zstd.compress)],
)
async def test_codex_gets_its_stream_however_it_packs_its_body(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    encoding: str,
    pack: Callable[[bytes], bytes],
) -> None:
    state = {"x-codex-turn-state": "keep", "x-models-etag": "1", "x-reasoning-included": "true"}
    upstream.add(event_stream(*invented.frames(), headers=state))
    answer = await http.post(
        "/responses",
        content=pack(json.dumps(CODEX).encode()),
        headers={**CODEX_HEADERS, "content-encoding": encoding},
    )
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in state} == state
    assert "event: response.completed" in answer.text
    [received] = upstream.requests
    assert received.json() == {**CODEX, "model": "gpt-upstream"}
    assert b'"size": 1.0' in received.body  # spliced, not written anew
    assert "content-encoding" not in received.headers
    assert received.headers["x-client-request-id"] == "thread-1"
    assert not any(name.startswith("x-codex") for name in received.headers)


@pytest.mark.parametrize("body", [LLAMA_INDEX, AI_SDK], ids=["LlamaIndex", "AI SDK"])
async def test_what_clients_send_reaches_a_native_upstream_untouched(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    body: Mapping[str, Any],
) -> None:
    upstream.add(json_answer(invented.response()))
    answer = await http.post("/responses", json=body)
    assert answer.status_code == 200
    assert upstream.requests[0].json() == {**body, "model": "gpt-upstream"}


@pytest.mark.parametrize("body", [LLAMA_INDEX, AI_SDK], ids=["LlamaIndex", "AI SDK"])
async def test_what_clients_send_is_understood_for_a_chat_upstream(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    body: Mapping[str, Any],
) -> None:
    upstream.add(invented.chat({"content": "Stars."}))
    answer = await http.post("/responses", json={**body, "model": "chatty"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["output"][0]["content"][0]["text"] == "Stars."
    messages = upstream.requests[0].json()["messages"]
    assert len(messages) == len(body["input"])
    assert "hello" in json.dumps(messages)


async def test_a_query_reaches_the_upstream_letter_by_letter(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented
) -> None:
    query = "include[]=a.b&include%5B%5D=c&x=1+2%20&empty=&bare"
    upstream.add(json_answer(invented.response()))
    url = http.base_url.copy_with(raw_path=f"/v1/responses?{query}".encode())
    answer = await http.post(url, json={"model": "fast", "input": "hello"})
    assert answer.status_code == 200
    assert upstream.requests[0].query == query


async def test_a_body_is_not_written_anew(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(json_answer(invented.response()))
    kept = b'"input":[ {"content" : "\\u00e9\\/", "n":1.0e2, "m":12345678901234567890123} ]'
    await http.post("/responses", content=b'{"model":"fast",' + kept + b"}")
    assert upstream.requests[0].body == b'{"model":"gpt-upstream",' + kept + b"}"


async def test_a_client_that_asks_for_a_websocket_is_sent_to_http(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "openai-beta": "responses_websockets=2026-02-06",
    }
    answer = await http.get("/responses", headers=headers)
    assert answer.status_code == 426
    assert answer.json()["error"]["code"] == "websocket_not_supported"
    assert upstream.requests == []


async def test_paths_work_without_the_version_too(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(json_answer(invented.response()))
    url = http.base_url.copy_with(raw_path=b"/responses")
    answer = await http.post(url, json={"model": "fast", "input": "hello"})
    assert answer.json()["model"] == "fast"


async def test_codex_finds_its_catalog_beside_openais_list(http: httpx2.AsyncClient) -> None:
    listing = (await http.get("/models", params={"client_version": "0.169.0"})).json()
    assert listing["object"] == "list"
    assert {"fast", "chatty"} <= {model["slug"] for model in listing["models"]}
    assert [model["id"] for model in listing["data"]] == [
        model["slug"] for model in listing["models"]
    ]
