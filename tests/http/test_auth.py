"""Keys: who is let in, as whom, and what the others are told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Client, ScriptedEngine


@pytest.mark.parametrize(
    ("headers", "tenant"),
    [
        ({"Authorization": "Bearer alpha's key"}, "alpha"),
        ({"authorization": "bearer  beta's key "}, "beta"),
        ({"api-key": "beta's key"}, "beta"),
        ({"authorization": "Basic YTpi", "api-key": "alpha's key"}, "alpha"),
    ],
)
async def test_a_key_stands_for_its_tenant(
    guarded: Client, engine: ScriptedEngine, headers: dict[str, str], tenant: str
) -> None:
    answer = await guarded.request("POST", "/v1/responses", b"{}", headers)
    assert answer.status == 200
    assert [caller.tenant for caller in engine.callers] == [tenant]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong-key"},
        {"authorization": "Bearer "},
        {"authorization": "alpha's key"},
        {"authorization": "Basic alpha's key"},
        {"authorization": "Bearer alpha's ke"},
        {"authorization": "Bearer wrong-key", "api-key": "alpha's key"},
        {"api-key": "\N{LATIN SMALL LETTER E WITH ACUTE}"},
        {"x-api-key": "alpha's key"},
    ],
)
async def test_a_missing_or_wrong_key_is_401_before_the_body_is_read(
    guarded: Client, engine: ScriptedEngine, headers: dict[str, str]
) -> None:
    answer = await guarded.request("POST", "/v1/responses", b"{}", headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error["code"] == "invalid_api_key"
    assert answer.error["param"] is None
    assert engine.asked == []


async def test_a_refused_key_is_repeated_nowhere(
    guarded: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"authorization": "Bearer sk-a-secret-of-somebody-else"}
    answer = await guarded.request("POST", "/v1/responses", b"{}", headers)
    assert b"somebody" not in answer.body
    assert "somebody" not in caplog.text


@pytest.mark.parametrize("path", ["/v1/models", "/v1/nothing", "/responses/resp_1", "/health"])
async def test_without_a_key_not_even_the_paths_are_told(guarded: Client, path: str) -> None:
    assert (await guarded.request("GET", path)).status == 401


@pytest.mark.parametrize("path", ["/health/live", "/v1/health/live"])
async def test_health_needs_no_key(guarded: Client, path: str) -> None:
    assert (await guarded.request("GET", path)).json == {"status": "ok"}


async def test_a_gateway_without_keys_lets_everybody_in_as_the_default_tenant(
    client: Client, engine: ScriptedEngine
) -> None:
    await client.request("POST", "/v1/responses", b"{}", {"authorization": "Bearer whatever"})
    assert [caller.tenant for caller in engine.callers] == ["default"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:4000"}, 200),
        ({"host": "localhost:4000", "origin": "http://localhost:3000"}, 200),
        ({"host": "[::1]:4000"}, 200),
        ({"host": "rebound.example:4000"}, 403),
        ({"host": "127.0.0.1:4000", "origin": "https://page.example"}, 403),
        ({"host": "127.0.0.1:4000", "origin": "null"}, 403),
        ({"host": "127.0.0.1:4000", "origin": "http://127.0.0.1.page.example"}, 403),
        ({"host": "127.0.0.1@page.example"}, 403),
        ({"host": "[not an address"}, 403),
    ],
)
async def test_a_gateway_without_keys_serves_no_pages_from_elsewhere(
    client: Client, engine: ScriptedEngine, headers: dict[str, str], status: int
) -> None:
    answer = await client.request("POST", "/v1/responses", b"{}", headers)
    assert answer.status == status
    assert len(engine.asked) == (1 if status == 200 else 0)


async def test_with_a_key_any_page_may_ask(guarded: Client, engine: ScriptedEngine) -> None:
    headers = {"host": "gateway.example", "origin": "https://page.example"}
    key = {"authorization": "Bearer alpha's key"}
    answer = await guarded.request("POST", "/v1/responses", b"{}", {**headers, **key})
    assert answer.status == 200
