"""Request bodies: whole, in pieces, compressed, too large, broken, and never finished."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from .conftest import Client, ScriptedEngine

LIMIT = 1000  # of the fixture
JSON = b'{"model":"fast","input":"hello"}'
CODINGS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "zstd": zstd.compress}

every_coding = pytest.mark.parametrize("coding", CODINGS)


def in_pieces(*bodies: bytes) -> list[dict[str, Any]]:
    messages = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    return [*messages, {"type": "http.request", "body": b"", "more_body": False}]


async def test_the_pieces_of_a_body_are_put_together(
    client: Client, engine: ScriptedEngine
) -> None:
    await client.request("POST", "/v1/responses", in_pieces(JSON[:5], b"", JSON[5:]))
    assert engine.asked[0].body == JSON


async def test_a_body_may_come_with_its_end(client: Client, engine: ScriptedEngine) -> None:
    await client.request("POST", "/v1/responses", [{"type": "http.request", "body": JSON}])
    assert engine.asked[0].body == JSON


@every_coding
async def test_a_compressed_body_is_read(
    client: Client, engine: ScriptedEngine, coding: str
) -> None:
    compressed = CODINGS[coding](JSON)
    answer = await client.request(
        "POST", "/v1/responses", compressed, {"Content-Encoding": coding.upper()}
    )
    assert answer.status == 200
    assert engine.asked[0].body == JSON


async def test_identity_is_no_encoding(client: Client, engine: ScriptedEngine) -> None:
    await client.request("POST", "/v1/responses", JSON, {"content-encoding": "identity"})
    assert engine.asked[0].body == JSON


async def test_a_body_as_large_as_the_limit_is_accepted(
    client: Client, engine: ScriptedEngine
) -> None:
    body = b"x" * LIMIT
    await client.request("POST", "/v1/responses", body, {"content-length": str(LIMIT)})
    await client.request("POST", "/v1/responses", gzip.compress(body), {"content-encoding": "gzip"})
    assert [len(envelope.body) for envelope in engine.asked] == [LIMIT, LIMIT]


async def test_an_announced_size_over_the_limit_is_refused_at_once(client: Client) -> None:
    exchange = client.connect(
        "POST", "/v1/responses", in_pieces(), {"content-length": str(LIMIT + 1)}
    )
    answer = await exchange.run()
    assert (answer.status, answer.error["code"]) == (413, "request_too_large")
    assert answer.error["message"] == f"the body is larger than the {LIMIT} bytes that are allowed"


@pytest.mark.parametrize("announced", ["", "12", "-1", "many"])
async def test_more_than_the_limit_is_refused_whatever_was_announced(
    client: Client, engine: ScriptedEngine, announced: str
) -> None:
    headers = {"content-length": announced}
    answer = await client.request(
        "POST", "/v1/responses", in_pieces(b"x" * LIMIT, b"x", b"more"), headers
    )
    assert (answer.status, answer.error["code"]) == (413, "request_too_large")
    assert engine.asked == []


@every_coding
@pytest.mark.parametrize("size", [LIMIT + 1, 500 * LIMIT])
async def test_a_bomb_is_stopped_while_it_is_inflated(
    client: Client, engine: ScriptedEngine, coding: str, size: int
) -> None:
    bomb = CODINGS[coding](b"x" * size)
    assert len(bomb) < LIMIT
    tracemalloc.start()
    try:
        answer = await client.request("POST", "/v1/responses", bomb, {"content-encoding": coding})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status, answer.error["code"]) == (413, "request_too_large")
    assert engine.asked == []
    assert peak < 200 * LIMIT


@every_coding
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body: b"no such thing", id="other bytes"),
        pytest.param(lambda body: body[:-1], id="cut"),
        pytest.param(lambda body: b"", id="nothing"),
        pytest.param(lambda body: body + b"more", id="more after it"),
    ],
)
async def test_a_broken_encoding_is_400(
    client: Client, engine: ScriptedEngine, coding: str, spoil: Callable[[bytes], bytes]
) -> None:
    body = spoil(CODINGS[coding](JSON))
    answer = await client.request("POST", "/v1/responses", body, {"content-encoding": coding})
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert engine.asked == []


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "rot13"])
async def test_another_encoding_is_415_and_told_which_are_known(
    client: Client, engine: ScriptedEngine, coding: str
) -> None:
    answer = await client.request("POST", "/v1/responses", JSON, {"content-encoding": coding})
    assert answer.status == 415
    assert answer.headers["accept-encoding"] == "gzip, zstd"
    assert engine.asked == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("", 200),
        ("text/plain", 200),
        ("application/x-www-form-urlencoded", 200),  # what curl -d says of everything
        ("multipart/form-data; boundary=x", 415),
    ],
)
async def test_the_content_type_matters_only_if_it_is_an_upload_s(
    client: Client, content_type: str, status: int
) -> None:
    answer = await client.request("POST", "/v1/responses", JSON, {"content-type": content_type})
    assert answer.status == status


async def test_a_client_that_vanishes_while_sending_is_forgotten(
    client: Client, engine: ScriptedEngine
) -> None:
    first, _ = in_pieces(JSON)
    answer = await client.request("POST", "/v1/responses", [first, {"type": "http.disconnect"}])
    assert (answer.status, answer.pieces) == (0, [])
    assert engine.asked == []


async def test_a_refused_upload_is_read_to_its_end_before_the_answer_ends(client: Client) -> None:
    exchange = client.connect(
        "POST", "/v1/nothing", in_pieces(b"x" * LIMIT, b"x" * LIMIT, b"the end")
    )
    answer = await exchange.run()
    assert (answer.status, answer.ended) == (404, True)
    assert exchange.unread == 0
