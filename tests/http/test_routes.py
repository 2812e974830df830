"""Every path and method: where it leads, and what the wrong ones are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.plugin.dialect import Operation

if TYPE_CHECKING:
    from .conftest import Client, ScriptedEngine

ROUTES: list[tuple[str, str, Operation, str]] = [
    ("POST", "/responses", "create", ""),
    ("GET", "/responses/resp_1", "retrieve", "resp_1"),
    ("DELETE", "/responses/resp_1", "delete", "resp_1"),
    ("POST", "/responses/resp_1/cancel", "cancel", "resp_1"),
    ("GET", "/responses/resp_1/input_items", "input_items", "resp_1"),
    ("POST", "/responses/compact", "compact", ""),
    ("POST", "/responses/input_tokens", "input_tokens", ""),
]


@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route[2])
async def test_each_operation_has_its_path_with_and_without_v1(
    client: Client, engine: ScriptedEngine, prefix: str, route: tuple[str, str, Operation, str]
) -> None:
    method, path, operation, response_id = route
    target = f"{prefix}{path}?include%5B%5D=a&include%5B%5D=b"
    answer = await client.request(method, target, b'{"a":1}', {"Content-Type": "application/json"})
    assert answer.status == 200
    [envelope] = engine.asked
    assert envelope.operation == operation
    assert envelope.response_id == response_id
    assert envelope.query == "include%5B%5D=a&include%5B%5D=b"
    assert envelope.body == (
        b'{"a":1}' if operation in {"create", "compact", "input_tokens"} else b""
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/responses", "POST"),
        ("PUT", "/v1/responses", "POST"),
        ("POST", "/v1/responses/resp_1", "GET, DELETE"),
        ("GET", "/v1/responses/compact", "POST"),
        ("GET", "/v1/conversations", "POST"),
        ("PATCH", "/v1/conversations/conv_1", "GET, POST, DELETE"),
        ("DELETE", "/v1/conversations/conv_1/items", "GET, POST"),
        ("POST", "/v1/conversations/conv_1/items/msg_1", "GET, DELETE"),
        ("POST", "/v1/models", "GET"),
        ("OPTIONS", "/v1/models/fast", "GET"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    client: Client, engine: ScriptedEngine, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    assert answer.error["code"] == "method_not_allowed"
    assert engine.asked == []


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/chat/completions", "/v1/responses/", "/v2/models"]
)
async def test_an_unknown_path_is_404_in_openai_s_shape(client: Client, path: str) -> None:
    answer = await client.request("POST", path, b"{}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.error == {
        "message": f"there is nothing at {path}; the API is served at /v1/responses",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


async def test_the_models_satisfy_openai_s_clients_and_codex(client: Client) -> None:
    listing = (await client.request("GET", "/v1/models?client_version=0.169.0")).json
    assert [model["id"] for model in listing["data"]] == ["fast", "local/smollm2", "openai/*"]
    assert {model["object"] for model in listing["data"]} == {"model"}
    assert [model["slug"] for model in listing["models"]] == ["fast", "local/smollm2", "openai/*"]


@pytest.mark.parametrize("name", ["fast", "local/smollm2", "openai/gpt-5.5"])
async def test_a_model_is_found_by_its_name_or_a_wildcard(client: Client, name: str) -> None:
    answer = await client.request("GET", f"/models/{name}")
    assert (answer.status, answer.json["id"]) == (200, name)


@pytest.mark.parametrize("name", ["slow", "openai/", "local"])
async def test_another_model_is_not_found(client: Client, name: str) -> None:
    answer = await client.request("GET", f"/v1/models/{name}")
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")


async def test_head_is_answered_like_get(client: Client) -> None:
    answer = await client.request("HEAD", "/v1/models")
    assert answer.status == 200


async def test_the_client_s_headers_reach_the_engine_in_lower_case(
    client: Client, engine: ScriptedEngine
) -> None:
    await client.request("POST", "/v1/responses", b"{}", {"OpenAI-Beta": "x", "X-Other": "Y"})
    assert engine.asked[0].headers == {"OpenAI-Beta".lower(): "x", "x-other": "Y"}
