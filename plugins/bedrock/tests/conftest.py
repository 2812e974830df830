"""What the tests share: calls, answers in, events out."""

import struct
from collections.abc import Callable, Iterable
from typing import Any
from zlib import crc32

import msgspec
import pytest

from gateway.plugin import Call, Deployment
from gateway.testing.replay import plain, replay
from gateway.types.request import decode_request
from gateway_bedrock import ConverseDialect

Json = dict[str, Any]

DIALECT = ConverseDialect()


def message(payload: bytes, **headers: str) -> bytes:
    """Write one message of an event stream; headers are strings, without the colon."""
    written = b"".join(
        struct.pack(">B", len(name)) + name + b"\x07" + struct.pack(">H", len(value)) + value
        for name, value in (
            (f":{name.replace('_', '-')}".encode(), text.encode()) for name, text in headers.items()
        )
    )
    prelude = struct.pack(">II", len(written) + len(payload) + 16, len(written))
    begin = prelude + struct.pack(">I", crc32(prelude)) + written + payload
    return begin + struct.pack(">I", crc32(begin))


def event(kind: str, payload: Json) -> bytes:
    return message(msgspec.json.encode(payload), message_type="event", event_type=kind)


def exception(kind: str, payload: Json) -> bytes:
    return message(msgspec.json.encode(payload), message_type="exception", exception_type=kind)


def deployment(model: str, quirks: Json) -> Deployment:
    return Deployment(
        alias="alias",
        provider="bedrock",
        model=model,
        account="account",
        base_url="https://bedrock.invalid",
        quirks=quirks,
    )


def call_of(request: Json, model: str = "vendor.some-model", **quirks: Any) -> Call:
    body = msgspec.json.encode({"model": "alias", "input": "hello", **request})
    return Call(request=decode_request(body), model=model, deployment=deployment(model, quirks))


@pytest.fixture
def encode() -> Callable[..., Json]:
    """Write a request, given without the model, as an upstream body."""

    def run(request: Json, model: str = "vendor.some-model", **quirks: Any) -> Json:
        return msgspec.json.decode(DIALECT.encode(call_of(request, model, **quirks)).body)

    return run


@pytest.fixture
def judge() -> Callable[..., dict[str, str]]:
    """Check a request and return the action for each parameter that is not simply honoured."""

    def run(request: Json, model: str = "vendor.some-model", **quirks: Any) -> dict[str, str]:
        call = call_of(request, model, **quirks)
        verdicts = list(DIALECT.check(call.request, call.deployment))
        assert all(verdict.reason for verdict in verdicts)
        return {verdict.param: verdict.action for verdict in verdicts}

    return run


@pytest.fixture
def answer() -> Callable[..., Json]:
    """Return the response that the given pieces of a stream, or a whole answer, become."""

    def run(chunks: Iterable[bytes], *, whole: bool = False) -> Json:
        events = plain(replay(DIALECT, call_of({}), list(chunks), whole=whole))
        return events[-1]["response"]

    return run


@pytest.fixture
def stream(answer: Callable[..., Json]) -> Callable[..., Json]:
    """Return the response that a stream becomes, given as its pairs of event and payload."""

    def run(*pairs: tuple[str, Json]) -> Json:
        return answer([event(kind, payload) for kind, payload in pairs])

    return run
