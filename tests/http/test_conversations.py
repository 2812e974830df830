"""The endpoints of conversations: where each leads, and what it says of bad requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Client

JSON = {"Content-Type": "application/json"}
ALPHA = {"Authorization": "Bearer alpha's key"}
BETA = {"Authorization": "Bearer beta's key"}


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text, "id": text}


@pytest.mark.parametrize("prefix", ["/v1", ""])
async def test_each_operation_has_its_path_with_and_without_v1(client: Client, prefix: str) -> None:
    async def ask(method: str, path: str = "", said: bytes = b"") -> Any:
        answer = await client.request(method, f"{prefix}/conversations{path}", said, JSON)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        return answer.json

    items = [message("a"), message("b")]
    created = await ask("POST", said=body(metadata={"topic": "x"}, items=items))
    one = f"/{created['id']}"
    assert await ask("GET", one) == created
    assert (await ask("POST", one, body(metadata={})))["metadata"] == {}
    added = await ask("POST", f"{one}/items?include%5B%5D=x", body(items=[message("c")]))
    assert added["first_id"] == added["last_id"] == "c"
    page = await ask("GET", f"{one}/items?limit=2&after=c")
    assert [item["id"] for item in page["data"]] == ["b", "a"]
    assert (await ask("GET", f"{one}/items/b"))["content"][0]["text"] == "b"
    assert (await ask("DELETE", f"{one}/items/b"))["id"] == created["id"]
    left = await ask("GET", f"{one}/items?order=asc")
    assert [item["id"] for item in left["data"]] == ["a", "c"]
    assert (await ask("DELETE", one))["object"] == "conversation.deleted"


async def test_a_conversation_is_its_tenant_s_alone(guarded: Client) -> None:
    made = await guarded.request("POST", "/v1/conversations", b"{}", ALPHA)
    path = f"/v1/conversations/{made.json['id']}"
    assert (await guarded.request("GET", path, headers=ALPHA)).status == 200
    for method, rest in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/items"),
        ("GET", "/items/msg_1"),
        ("DELETE", "/items/msg_1"),
    ):
        answer = await guarded.request(method, path + rest, headers=BETA)
        assert answer.status == 404
        assert answer.error == {
            "message": f"conversation with id '{made.json['id']}' not found",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
    assert (await guarded.request("POST", path, body(metadata={}), BETA)).status == 404
    assert (await guarded.request("POST", f"{path}/items", body(items=[]), BETA)).status == 404
    assert (await guarded.request("GET", path, headers=ALPHA)).status == 200


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"{", ("invalid_json", None)),
        (b"[]", ("invalid_type", None)),
        (b'{"items":[{"role":"user"}]}', ("invalid_type", "items[0].content")),
        (b'{"metadata":{"a":1}}', ("invalid_type", "metadata")),
        (b'{"metadata":"\xff"}', ("invalid_json", None)),
    ],
)
async def test_a_body_that_does_not_fit_is_told_where(
    client: Client, said: bytes, expected: tuple[str, str | None]
) -> None:
    answer = await client.request("POST", "/v1/conversations", said)
    assert answer.status == 400
    assert (answer.error["code"], answer.error["param"]) == expected


async def test_a_body_has_the_limit_of_every_body(client: Client) -> None:
    said = body(items=[message("x" * 1000)])
    assert (await client.request("POST", "/v1/conversations", said)).status == 413


@pytest.mark.parametrize("name", ["%00", "a\0b", "conv 1", "c" * 3000, "ünï"])
async def test_an_id_that_nobody_has_is_not_found_whatever_it_is(client: Client, name: str) -> None:
    for path in (name, f"{name}/items", f"{name}/items/msg_1"):
        assert (await client.request("GET", f"/v1/conversations/{path}")).status == 404


async def test_a_page_that_cannot_be_is_refused(client: Client) -> None:
    made = await client.request("POST", "/v1/conversations")
    path = f"/v1/conversations/{made.json['id']}/items?limit=101"
    answer = await client.request("GET", path)
    assert (answer.status, answer.error["param"]) == (400, "limit")
