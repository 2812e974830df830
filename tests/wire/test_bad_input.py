"""Everything that can be wrong with a request or an upstream has one answer, in OpenAI's shape."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from gateway.testing import (
    ScriptedUpstream,
)

if TYPE_CHECKING:
    pass

if TYPE_CHECKING:
    from .conftest import Refuses

pytestmark = pytest.mark.asyncio(loop_scope="session")

Expected = tuple[int, str, str | None, str | None]
"""Status, type, code and param."""

INVALID = "invalid_request_error"
HELLO: dict[str, Any] = {"model": "fast", "input": "hello"}
UNKNOWN_ID = "resp_" + "A" * 60


def chunks(body: bytes) -> AsyncIterator[bytes]:
    """Return an upload of unknown length."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    return pieces()


def asked(**changes: Any) -> bytes:
    return json.dumps({**HELLO, **changes}).encode()


HUGE = asked(input="x" * 300_000)
BAD_JSON = (400, INVALID, "invalid_json", None)
TOO_LARGE = (413, INVALID, "request_too_large", None)
NO_MODEL = (400, INVALID, "missing_required_parameter", "model")


def wrong_type(param: str) -> Expected:
    return 400, INVALID, "invalid_type", param


BODIES: dict[str, tuple[bytes, Expected]] = {
    "cut": (b'{"model": "fast", "inp', BAD_JSON),
    "nothing": (b"", BAD_JSON),
    "two documents": (b"{} {}", BAD_JSON),
    "invalid UTF-8": (b'{"model": "fast", "input": "\xff\xfe"}', BAD_JSON),
    "not a number": (b'{"model": "fast", "temperature": NaN}', BAD_JSON),
    "nested without end": (b'{"model": "fast", "input": ' + b"[" * 100_000, BAD_JSON),
    "a list": (b"[]", (400, INVALID, "invalid_type", None)),
    "null": (b"null", (400, INVALID, "invalid_type", None)),
    "no model": (b'{"input": "hello"}', NO_MODEL),
    "model null": (asked(model=None), NO_MODEL),
    "model empty": (asked(model=""), NO_MODEL),
    "model a number": (asked(model=5), wrong_type("model")),
    "stream a text": (asked(stream="yes"), wrong_type("stream")),
    "previous id a number": (asked(previous_response_id=5), wrong_type("previous_response_id")),
    "unknown model": (
        asked(model="gpt-nobody-has"),
        (404, INVALID, "model_not_found", "model"),
    ),
    "unknown previous id": (
        asked(previous_response_id=UNKNOWN_ID),
        (400, INVALID, "previous_response_not_found", "previous_response_id"),
    ),
    "an upstream's own previous id": (
        asked(previous_response_id="resp_upstream"),
        (400, INVALID, "previous_response_not_found", "previous_response_id"),
    ),
    "previous id and conversation": (
        asked(previous_response_id=UNKNOWN_ID, conversation="conv_1"),
        (400, INVALID, "mutually_exclusive_parameters", "previous_response_id"),
    ),
    "over the limit": (HUGE, TOO_LARGE),
    "wrong type for a chat model": (
        asked(model="chatty", temperature="warm"),
        wrong_type("temperature"),
    ),
    "wrong item for a chat model": (
        asked(model="chatty", input=[{"type": "message", "role": "user", "content": 5}]),
        wrong_type("input[0].content"),
    ),
    "a tool that no chat model has": (
        asked(model="chatty", tools=[{"type": "web_search"}]),
        (400, INVALID, "unsupported_parameter", "tools[0].type"),
    ),
}

UNREADABLE = (400, INVALID, None, None)
UPLOADS: dict[str, tuple[Mapping[str, str], bytes, Expected]] = {
    "gzip bomb": (
        {"content-encoding": "gzip"},
        gzip.compress(b" " * 50_000_000),
        TOO_LARGE,
    ),
    "not gzip": ({"content-encoding": "gzip"}, asked(), UNREADABLE),
    "not zstd": ({"content-encoding": "zstd"}, asked(), UNREADABLE),
    "gzip cut": (
        {"content-encoding": "gzip"},
        gzip.compress(asked())[:-9],
        (400, INVALID, None, None),
    ),
    "unknown encoding": (
        {"content-encoding": "br"},
        asked(),
        (415, INVALID, "unsupported_media_type", None),
    ),
    "a form": (
        {"content-type": "multipart/form-data; boundary=x"},
        asked(),
        (415, INVALID, "unsupported_media_type", None),
    ),
}

NOT_FOUND = (404, INVALID, None, None)
PATHS: dict[str, tuple[str, str, Expected]] = {
    "retrieve": ("GET", f"/responses/{UNKNOWN_ID}", NOT_FOUND),
    "retrieve an upstream's id": ("GET", "/responses/resp_upstream", NOT_FOUND),
    "delete": ("DELETE", f"/responses/{UNKNOWN_ID}", NOT_FOUND),
    "cancel": ("POST", f"/responses/{UNKNOWN_ID}/cancel", NOT_FOUND),
    "input items": ("GET", f"/responses/{UNKNOWN_ID}/input_items", NOT_FOUND),
    "an id of nonsense": ("GET", "/responses/%00%ff!", NOT_FOUND),
    "no such path": ("GET", "/nothing", NOT_FOUND),
    "a conversation": ("GET", f"/conversations/{UNKNOWN_ID}", NOT_FOUND),
    "a conversation of nonsense": ("GET", "/conversations/%00%ff!/items", NOT_FOUND),
    "no such method": ("PUT", "/responses", (405, INVALID, "method_not_allowed", None)),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
async def test_a_bad_body_is_refused_before_any_upstream_is_asked(
    refuses: Refuses,
    upstream: ScriptedUpstream,
    body: bytes,
    expected: Expected,
) -> None:
    await refuses(expected, content=body)
    assert upstream.requests == []


async def test_a_body_over_the_limit_is_refused_although_its_length_is_not_announced(
    refuses: Refuses, upstream: ScriptedUpstream
) -> None:
    answer = await refuses(TOO_LARGE, content=chunks(HUGE))
    assert "content-length" not in answer.request.headers
    assert upstream.requests == []


@pytest.mark.parametrize(("headers", "body", "expected"), UPLOADS.values(), ids=UPLOADS)
async def test_a_body_that_cannot_be_unpacked_is_refused(
    refuses: Refuses,
    upstream: ScriptedUpstream,
    headers: Mapping[str, str],
    body: bytes,
    expected: Expected,
) -> None:
    await refuses(expected, content=body, headers=dict(headers))
    assert upstream.requests == []


@pytest.mark.parametrize(("method", "path", "expected"), PATHS.values(), ids=PATHS)
async def test_what_does_not_exist_is_not_found(
    refuses: Refuses,
    upstream: ScriptedUpstream,
    method: str,
    path: str,
    expected: Expected,
) -> None:
    await refuses(expected, path, method)
    assert upstream.requests == []


@pytest.mark.parametrize("key", ["Bearer sk-wrong", "Bearer", "Basic c2s6", ""])
async def test_a_wrong_key_is_refused(
    refuses: Refuses, upstream: ScriptedUpstream, key: str
) -> None:
    wrong = (401, INVALID, "invalid_api_key", None)
    answer = await refuses(wrong, json=HELLO, headers={"authorization": key})
    assert answer.headers["www-authenticate"] == "Bearer"
    assert upstream.requests == []
