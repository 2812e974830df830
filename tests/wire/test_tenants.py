"""Two keys are two tenants: what one has made does not exist for the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import httpx2
import pytest

from gateway.testing import ScriptedUpstream, json_answer

if TYPE_CHECKING:
    from .conftest import Invented

pytestmark = pytest.mark.asyncio(loop_scope="session")

STORED = [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]


def beta(keys: Mapping[str, str]) -> dict[str, str]:
    return {"authorization": f"Bearer {keys['beta']}"}


async def made_by_alpha(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream, invented: Invented
) -> str:
    upstream.add(json_answer(invented.response()))
    identifier = (await http.post("/responses", json={"model": "fast", "input": "x"})).json()["id"]
    upstream.requests.clear()
    return identifier


@pytest.mark.parametrize("operation", STORED, ids=" ".join)
async def test_a_response_of_the_other_tenant_does_not_exist(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    keys: Mapping[str, str],
    operation: tuple[str, str],
) -> None:
    identifier = await made_by_alpha(http, upstream, invented)
    method, path = operation[0], f"/responses/{identifier}{operation[1]}"
    answer = await http.request(method, path, headers=beta(keys))
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": f"response with id '{identifier}' not found",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert upstream.requests == []
    upstream.add(json_answer(invented.response()))
    mine = await http.request(method, path)
    assert mine.status_code == 200


@pytest.mark.parametrize("path", ["", "/compact", "/input_tokens"])
async def test_a_response_of_the_other_tenant_cannot_be_continued(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    keys: Mapping[str, str],
    path: str,
) -> None:
    identifier = await made_by_alpha(http, upstream, invented)
    body = {"model": "fast", "input": "on", "previous_response_id": identifier}
    answer = await http.post(f"/responses{path}", json=body, headers=beta(keys))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (
        "previous_response_not_found",
        "previous_response_id",
    )
    assert upstream.requests == []


async def test_one_response_has_another_id_for_each_tenant(
    http: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    invented: Invented,
    keys: Mapping[str, str],
) -> None:
    alphas = await made_by_alpha(http, upstream, invented)
    assert await made_by_alpha(http, upstream, invented) == alphas
    upstream.add(json_answer(invented.response()))
    body = {"model": "fast", "input": "x"}
    betas = (await http.post("/responses", json=body, headers=beta(keys))).json()["id"]
    assert betas != alphas


async def test_conversations_are_refused_where_tenants_share_an_account(
    http: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    body = {"model": "fast", "input": "x", "conversation": "conv_1"}
    answer = await http.post("/responses", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "conversation")
    assert upstream.requests == []
