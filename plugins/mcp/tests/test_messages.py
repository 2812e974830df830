"""JSON-RPC from bytes: what is not, what is too deep, and what no error may repeat."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import Raw, json

from gateway_mcp.connection import McpProtocolError
from gateway_mcp.messages import Failure, Message, decode, decode_result, encode_reply, failed


def results(data: bytes) -> list[Any]:
    return [decode_result(message.result, dict[str, Any]) for message in decode(data)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"3",
        b"null",
        b'"text"',
        b"[3]",
        b'{"id": true}',
        b'{"id": {}}',
        b'{"error": "no"}',
        b'{"result": ' + b"[" * 100_000,
        b"[" * 100_000,
        b'{"id":1,"result":"\xff"}',
    ],
)
def test_what_is_not_json_rpc_is_an_error(data: bytes) -> None:
    with pytest.raises(McpProtocolError):
        results(data)


@given(some.binary())
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with suppress(McpProtocolError):
        results(data)


@pytest.mark.parametrize(("depth", "fits"), [(90, True), (101, False), (900, False)])
def test_a_result_can_be_nested_only_as_deeply_as_it_can_be_written_again(
    depth: int, fits: bool
) -> None:
    result = Raw(b'{"a":' * depth + b"{}" + b"}" * depth)
    if fits:
        assert json.encode(decode_result(result, dict[str, Any])) == bytes(result)
    else:
        with pytest.raises(McpProtocolError, match="nested too deeply"):
            decode_result(result, dict[str, Any])


def test_a_batch_is_read_as_its_messages() -> None:
    assert [message.id for message in decode(b'[{"id":1},{"id":"two"}]')] == [1, "two"]


def test_an_error_repeats_no_secret_and_is_one_short_line() -> None:
    failure = Failure(code=-32000, message="bad token s3cret-t0ken\r\nX-Header: 1" + "!" * 5000)
    error = failed(failure, frozenset({"s3cret", "s3cret-t0ken", "t0ken"}))
    assert error.code == -32000
    assert error.message.startswith("bad token *** X-Header: 1!")
    assert len(error.message) == 1000


def test_a_server_may_ask_whether_we_live_and_nothing_else() -> None:
    ping = Message(id="a", method="ping")
    assert json.decode(encode_reply(ping)) == {"jsonrpc": "2.0", "id": "a", "result": {}}
    for method in ("sampling/createMessage", "roots/list", "elicitation/create"):
        reply = json.decode(encode_reply(Message(id=3, method=method)))
        assert (reply["id"], reply["error"]["code"]) == (3, -32601)
