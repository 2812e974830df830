"""What the model reads of a call, and what the client is told of one that failed."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_mcp.connection import (
    CallResult,
    McpError,
    McpHttpError,
    McpProtocolError,
    McpUnreachableError,
)
from gateway_mcp.outcomes import Outcomes, listing_error
from gateway_mcp.peer import McpTimeoutError

SECRET = "invented-credential"
PICTURE = base64.b64encode(bytes(300)).decode()
OUTCOMES = Outcomes(limit=1000, secrets=frozenset({SECRET}))


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


@pytest.mark.parametrize(
    ("content", "structured", "output"),
    [
        ([], None, ""),
        ([text("one")], None, "one"),
        ([text("one"), text("two")], None, "one\ntwo"),
        ([text("one")], {"answer": 1}, "one"),
        ([], {"answer": 1}, '{"answer":1}'),
        ([], [], "[]"),
        (
            [text("see"), {"type": "image", "data": PICTURE, "mimeType": "image/png", "_meta": {}}],
            None,
            'see\n{"type":"image","mimeType":"image/png","bytes":300}',
        ),
        (
            [{"type": "resource", "resource": {"uri": "a:b", "text": "file"}}],
            None,
            "file",
        ),
        (
            [{"type": "resource", "resource": {"uri": "a:b", "blob": PICTURE}}],
            None,
            '{"type":"resource","resource":{"uri":"a:b","bytes":300}}',
        ),
        (
            [{"type": "resource_link", "uri": "a:b", "name": "b", "annotations": {}}],
            None,
            '{"type":"resource_link","uri":"a:b","name":"b"}',
        ),
        ([{"type": "text", "text": 7}], None, '{"type":"text","text":7}'),
        ([{"type": "resource", "resource": None}], None, '{"type":"resource","resource":null}'),
        ([{}], None, "{}"),
    ],
)
def test_the_model_reads_texts_and_is_told_of_the_rest(
    content: list[Any], structured: Any, output: str
) -> None:
    outcome = OUTCOMES.of_result(CallResult(content=tuple(content), structured=structured))
    assert (outcome.output, outcome.error) == (output, None)


def test_a_tool_that_fails_is_an_error_with_its_content() -> None:
    picture = {"type": "image", "data": PICTURE, "mimeType": "image/png"}
    outcome = OUTCOMES.of_result(CallResult(content=(text("no"), picture), is_error=True))
    assert outcome.output == 'no\n{"type":"image","mimeType":"image/png","bytes":300}'
    assert outcome.error == {
        "type": "mcp_tool_execution_error",
        "content": [text("no"), {"type": "image", "mimeType": "image/png", "bytes": 300}],
    }


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (McpProtocolError(-32000, "no"), ("mcp_protocol_error", -32000)),
        (McpHttpError(401, "no"), ("http_error", 401)),
        (McpUnreachableError("no"), ("http_error", 502)),
    ],
)
def test_a_server_that_fails_is_an_error_with_its_code(
    error: McpError, told: tuple[str, int]
) -> None:
    outcome = OUTCOMES.of_error(error)
    assert outcome.output == "no"
    assert outcome.error == {"type": told[0], "code": told[1], "message": "no"}


def test_a_server_that_takes_too_long_is_a_timeout() -> None:
    outcome = OUTCOMES.of_error(McpTimeoutError(2.0))
    message = "the server took longer than 2 seconds"
    assert outcome.error == {"type": "http_error", "code": 504, "message": message}


@pytest.mark.parametrize("failed", [True, False])
@given(said=st.text(alphabet="aä€😀", max_size=600))
def test_outputs_are_cut_between_characters(said: str, failed: bool) -> None:
    outcome = OUTCOMES.of_result(CallResult(content=(text(said),), is_error=failed))
    size = len(said.encode())
    if size <= 1000:
        assert outcome.output == said
        return
    kept, _, note = outcome.output.rpartition("\n")
    assert note == f"[cut off here: the output has {size} bytes]"
    assert said.startswith(kept)
    assert 997 <= len(kept.encode()) <= 1000
    if failed:
        assert outcome.error is not None
        assert outcome.error["content"] == [text(outcome.output)]


def test_no_secret_comes_back_whatever_the_server_echoes() -> None:
    echoed = f"you sent Authorization: Bearer {SECRET}"
    link = {"type": "resource_link", "uri": f"https://x.example/?key={SECRET}"}
    failed = CallResult(content=(text(echoed), link), structured=echoed, is_error=True)
    outcomes = [
        OUTCOMES.of_result(failed),
        OUTCOMES.of_result(CallResult(structured={"echo": echoed})),
        OUTCOMES.of_error(McpProtocolError(-32000, echoed)),
        OUTCOMES.of_error(McpHttpError(400, echoed)),
    ]
    assert SECRET not in msgspec.json.encode(outcomes).decode()
    assert "Bearer ***" in outcomes[0].output
    error = listing_error("docs", McpProtocolError(-1, echoed), frozenset({SECRET}))
    assert SECRET not in error.message


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (McpHttpError(404, "no such thing"), "Http status code: 404 (Not Found)"),
        (McpHttpError(599, "no such thing"), "Http status code: 599"),
        (McpUnreachableError("no connection"), "no connection"),
        (McpTimeoutError(9.0), "the server took longer than 9 seconds"),
    ],
)
def test_the_error_of_a_listing_is_worded_like_openais(error: McpError, reason: str) -> None:
    raised = listing_error("docs", error, frozenset())
    assert (raised.status, raised.type, raised.param) == (
        424,
        "external_connector_error",
        "tools",
    )
    assert raised.message == f"Error retrieving tool list from MCP server: 'docs'. {reason}"
