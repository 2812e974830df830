"""What was called of MCP servers, as the upstream is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.lowering.mcp_calls import MCP_ITEMS, lower_mcp_calls
from gateway.types.items import FunctionCall, FunctionCallOutput
from gateway.types.request import decode_request
from gateway.types.wire import encode

if TYPE_CHECKING:
    from .conftest import Lower

Json = dict[str, Any]

PENDING = "The user has not approved this call."
INCOMPLETE = "The call was not completed."
DEEP = '{"a":' * 9999
LISTED: Json = {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "wiki", "tools": []}
USER: Json = {"type": "message", "role": "user", "content": "Hi"}
SAID: Json = {"type": "message", "role": "assistant", "content": "Well."}


def ran(name: str, **members: Any) -> Json:
    told = {"server_label": "wiki", "name": "ask", "arguments": "{}", "output": f"came of {name}"}
    return {"type": "mcp_call", "id": f"mcp_{name}", **told, **members}


def asked(name: str, **members: Any) -> Json:
    told = {"server_label": "wiki", "name": "ask", "arguments": "{}"}
    return {"type": "mcp_approval_request", "id": f"mcpr_{name}", **told, **members}


def decided(name: str, **members: Any) -> Json:
    response = {"approval_request_id": f"mcpr_{name}", "approve": True, **members}
    return {"type": "mcp_approval_response", **response}


def approved(name: str, request: str) -> Json:
    return ran(name, approval_request_id=f"mcpr_{request}")


def called(name: str) -> Json:
    return {"type": "function_call", "call_id": name, "name": "f", "arguments": "{}"}


def gave(name: str) -> Json:
    return {"type": "function_call_output", "call_id": name, "output": "done"}


def thought(carrier: str = "") -> Json:
    return {"type": "reasoning", "summary": [], "encrypted_content": carrier}


def lowered(*items: Json) -> list[Json]:
    decoded = decode_request(json.dumps({"input": items})).input
    assert isinstance(decoded, tuple)
    return json.loads(encode(lower_mcp_calls(decoded)))


def order(*items: Json) -> list[str]:
    """Return what is told, in short: calls by their id, outputs in brackets, others by type."""
    return [
        f"({item['call_id']})"
        if item["type"].endswith("_output")
        else item.get("call_id") or item["type"]
        for item in lowered(*items)
    ]


def outcome(*items: Json) -> str:
    """Return what came of the first call."""
    made = lowered(*items)
    first = next(item["call_id"] for item in made if item["type"] == "function_call")
    [output] = [o["output"] for o in made if o["type"] != "function_call" and o["call_id"] == first]
    return output


def test_a_call_is_one_of_a_function_with_its_output() -> None:
    assert lowered(LISTED, USER, ran("a", arguments='{"q": 1}')) == [
        USER,
        {
            "type": "function_call",
            "call_id": "call_a",
            "name": "mcp__wiki__ask",
            "arguments": '{"q": 1}',
        },
        {"type": "function_call_output", "call_id": "call_a", "output": "came of a"},
    ]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([ran("a"), ran("b"), SAID], "call_a call_b (call_a) (call_b) message"),
        ([ran("a"), SAID, ran("b")], "call_a (call_a) message call_b (call_b)"),
        ([ran("a"), LISTED, ran("b")], "call_a call_b (call_a) (call_b)"),
        ([ran("a"), called("f"), gave("f")], "call_a f (call_a) (f)"),
        ([called("f"), ran("a"), gave("f")], "f call_a (call_a) (f)"),
        ([called("f"), gave("f"), ran("a")], "f (f) call_a (call_a)"),
        ([thought(), asked("a"), SAID], "reasoning call_a (call_a) message"),
        (
            [asked("a"), called("f"), decided("a"), gave("f"), approved("b", "a")],
            "call_a f (call_a) (f)",
        ),
        (
            [
                *(ran("a"), asked("b"), asked("c"), decided("c"), decided("b")),
                *(approved("d", "c"), approved("e", "b"), ran("f")),
            ],
            "call_a call_b call_c (call_a) (call_b) (call_c) call_f (call_f)",
        ),
        ([approved("a", "x"), SAID], "call_a (call_a) message"),
    ],
    ids=[
        "at once",
        "one after the other",
        "a list between them",
        "with a call of the client's",
        "after a call of the client's",
        "after an output of the client's",
        "a thought before a request",
        "a request with a call of the client's",
        "two approvals, and more when the model knows what came of them",
        "a request that is not there",
    ],
)
def test_calls_that_were_made_at_once_stay_together(items: list[Json], expected: str) -> None:
    assert " ".join(order(*items)) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"output": ""}, ""),
        ({"output": None, "status": "completed"}, ""),
        ({"output": None, "status": "in_progress"}, INCOMPLETE),
        ({"output": None}, INCOMPLETE),
        ({"output": None, "status": "failed"}, "The call failed."),
        ({"status": "failed"}, "The call failed: came of a"),
        ({"error": "too old"}, "The call failed: too old"),
        (
            {"error": {"type": "http_error", "code": 503, "message": "closed"}},
            "The call failed: closed",
        ),
        (
            {
                "output": None,
                "error": {
                    "type": "mcp_tool_execution_error",
                    "content": [{"type": "text", "text": "no"}, {"type": "image"}, {"text": "go"}],
                },
            },
            "The call failed: no\ngo",
        ),
        (
            {"error": {"type": "mcp_tool_execution_error", "content": "no"}},
            "The call failed: no",
        ),
        (
            {"error": {"type": "mcp_tool_execution_error", "content": [{"type": "image"}]}},
            'The call failed: [{"type":"image"}]',
        ),
        ({"error": {"type": "new"}}, 'The call failed: {"type":"new"}'),
    ],
)
def test_what_came_of_a_call_is_put_in_words(members: Json, expected: str) -> None:
    assert outcome(ran("a", **members)) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([asked("a")], PENDING),
        ([decided("a"), asked("a")], PENDING),
        ([asked("a"), decided("b", approve=False)], PENDING),
        ([asked("a"), decided("a", approve=False)], "The user denied this call."),
        (
            [asked("a"), decided("a", approve=False, reason="Too dear."), decided("a")],
            "The user denied this call. Too dear.",
        ),
        ([asked("a"), decided("a")], INCOMPLETE),
        ([asked("a"), decided("a"), approved("b", "a")], "came of b"),
        (
            [asked("a"), approved("b", "a"), decided("a", approve=False)],
            "came of b",
        ),
    ],
)
def test_what_came_of_a_request_is_what_the_user_said(items: list[Json], expected: str) -> None:
    assert outcome(*items) == expected


def test_a_request_is_not_answered_twice() -> None:
    again = approved("c", "a")
    items = (asked("a"), decided("a"), approved("b", "a"), SAID, again)
    assert order(*items) == ["call_a", "(call_a)", "message", "call_c", "(call_c)"]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("", "{}"),
        ("null", "{}"),
        ('{"a": 1.50}', '{"a": 1.50}'),
        ('{"a": ', '{"arguments":"{\\"a\\": "}'),
        ("[1]", '{"arguments":"[1]"}'),
        (DEEP, encode({"arguments": DEEP}).decode()),
    ],
)
def test_arguments_are_always_an_object(written: str, sent: str) -> None:
    assert lowered(ran("a", arguments=written))[0]["arguments"] == sent


@pytest.mark.parametrize("identifier", ["mcp_" + "x" * 80, "mcp_é", "mcp_a b"])
def test_an_id_that_upstreams_would_refuse_is_replaced_by_the_same_one_each_time(
    identifier: str,
) -> None:
    first, second = (lowered(ran("a", id=identifier))[0]["call_id"] for _ in range(2))
    assert first == second
    assert len(first) <= 64
    assert first.isascii()
    assert first.isalnum()


def test_calls_are_called_by_their_ids_or_else_by_their_places() -> None:
    nameless = ran("a")
    del nameless["id"]
    items = (USER, nameless, nameless, ran("a", id="x"), asked("c_d"))
    assert order(*items)[1:5] == ["call_1", "call_2", "call_x", "call_c_d"]


def test_an_id_is_not_taken_from_a_call_of_the_client() -> None:
    first, second, *_ = order(ran("1"), called("call_1"), gave("call_1"))
    assert second == "call_1"
    assert first != second


def test_a_call_that_its_vendor_gets_back_is_not_told_again() -> None:
    carrier = json.dumps([{"type": "mcp_tool_use", "id": "mcp_a"}])
    assert order(ran("a"), thought(carrier)) == ["reasoning"]
    assert order(ran("b"), thought(carrier)) == ["call_b", "(call_b)", "reasoning"]
    assert order(ran("a"), thought(), thought(carrier))[:2] == ["call_a", "(call_a)"]


@pytest.mark.parametrize("kind", MCP_ITEMS)
def test_one_of_the_kinds_is_enough_for_all_of_them(
    lowered: Lower, plain: Callable[[Any], Any], kind: str
) -> None:
    items = [LISTED, asked("a"), decided("a"), approved("b", "a")]
    made = plain(lowered(types=[kind], input=items).request.input)
    assert [item["type"] for item in made] == ["function_call", "function_call_output"]
    assert plain(lowered(types=["shell_call"], input=[LISTED]).request.input) == [LISTED]


NAMES = st.sampled_from(["a", "b", "x" * 90, "é"])
MADE = st.one_of(
    st.builds(ran, NAMES),
    st.builds(approved, NAMES, NAMES),
    st.builds(ran, NAMES, id=st.just("")),
    st.builds(asked, NAMES),
    st.builds(asked, NAMES, id=st.just("")),
    st.builds(lambda name, yes: decided(name, approve=yes), NAMES, st.booleans()),
    st.sampled_from([LISTED, USER, SAID, thought(), thought('{"id":"mcp_a"}')]),
)
CLIENTS = st.lists(st.sampled_from(["call_a", "call_1", "c"]), unique=True)


@given(st.lists(MADE, max_size=12), CLIENTS, st.randoms(use_true_random=False))
def test_every_call_has_one_output_and_that_comes_later(
    made: list[Json], clients: list[str], chance: Any
) -> None:
    for name in clients:
        place = chance.randint(0, len(made))
        made.insert(place, called(name))
        made.insert(chance.randint(place + 1, len(made)), gave(name))
    decoded = decode_request(json.dumps({"input": made})).input
    assert isinstance(decoded, tuple)
    items = lower_mcp_calls(decoded)
    calls = [item.call_id for item in items if isinstance(item, FunctionCall)]
    waiting: set[str] = set()
    for item in items:
        assert item.type not in MCP_ITEMS
        if isinstance(item, FunctionCall):
            waiting.add(item.call_id)
        elif isinstance(item, FunctionCallOutput):
            waiting.remove(str(item.call_id))
    assert not waiting
    assert len(calls) == len(set(calls))
