"""Tools that a chat upstream does not know, through a whole engine and back, for two turns."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.errors import InvalidRequestError, UpstreamProtocolError
from gateway.stream.lifecycle import violations
from gateway.testing import Script, ScriptedUpstream, event_stream

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]
Case = tuple[dict[str, Any], str, str, dict[str, Any], dict[str, Any], str]

PRINTED = [{"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
FIND = {"type": "function", "name": "find", "parameters": {"type": "object", "properties": {}}}

CASES: dict[str, Case] = {
    "custom": (
        {"type": "custom", "name": "exec"},
        "exec",
        '{"input": "print(\\"\\ud83d\\ude00\\")"}',
        {"type": "custom_tool_call", "name": "exec", "input": 'print("😀")'},
        {"type": "custom_tool_call_output", "output": "😀"},
        "😀",
    ),
    "namespaced": (
        {"type": "namespace", "name": "calendar", "description": "", "tools": [FIND]},
        "calendar__find",
        '{"day":1}',
        {
            "type": "function_call",
            "name": "find",
            "namespace": "calendar",
            "arguments": '{"day":1}',
        },
        {"type": "function_call_output", "output": "nothing"},
        "nothing",
    ),
    "custom in a namespace": (
        {"type": "namespace", "name": "s", "tools": [{"type": "custom", "name": "exec"}]},
        "s__exec",
        '{"input": "1"}',
        {"type": "custom_tool_call", "name": "exec", "namespace": "s", "input": "1"},
        {"type": "custom_tool_call_output", "output": "1"},
        "1",
    ),
    "shell": (
        {"type": "shell", "environment": {"type": "local"}},
        "shell",
        '{"commands":["ls"],"timeout_ms":5}',
        {
            "type": "shell_call",
            "action": {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
            "environment": {"type": "local"},
        },
        {"type": "shell_call_output", "output": PRINTED},
        json.dumps(PRINTED, separators=(",", ":")),
    ),
    "local_shell": (
        {"type": "local_shell"},
        "local_shell",
        '{"command":["ls"]}',
        {
            "type": "local_shell_call",
            "action": {
                "type": "exec",
                "command": ["ls"],
                "env": {},
                "timeout_ms": None,
                "user": None,
                "working_directory": None,
            },
        },
        {"type": "local_shell_call_output", "output": "a.txt"},
        "a.txt",
    ),
    "apply_patch": (
        {"type": "apply_patch"},
        "apply_patch",
        '{"type":"update_file","path":"a.py","diff":"@@\\n-a\\n+b"}',
        {
            "type": "apply_patch_call",
            "operation": {"type": "update_file", "path": "a.py", "diff": "@@\n-a\n+b"},
        },
        {"type": "apply_patch_call_output", "status": "completed"},
        '{"status":"completed"}',
    ),
    "tool_search": (
        {"type": "tool_search", "execution": "client"},
        "tool_search",
        '{"query":"find"}',
        {"type": "tool_search_call", "arguments": {"query": "find"}, "execution": "client"},
        {"type": "tool_search_output", "tools": [{**FIND, "defer_loading": True}]},
        "These tools can be called now: find.",
    ),
}

every_tool = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def calling(*calls: tuple[str, str], finish: str = "tool_calls") -> Script:
    """Return a completion that makes `calls` of a name and arguments, in pieces of 3 characters."""
    deltas: list[dict[str, Any]] = []
    for index, (name, arguments) in enumerate(calls):
        begin = {"id": f"call_{index}", "type": "function", "function": {"name": name}}
        deltas.append({"index": index, **begin})
        for place in range(0, len(arguments), 3):
            piece = arguments[place : place + 3]
            deltas.append({"index": index, "function": {"arguments": piece}})
    chunks: list[dict[str, Any]] = [
        *({"choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]} for delta in deltas),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
    ]
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return event_stream(*frames, b"data: [DONE]\n\n")


@pytest.fixture
async def gateway(
    open_gateway: OpenGateway, deploy: Deploy, upstream: ScriptedUpstream
) -> AsyncGenerator[Gateway]:
    """Return a gateway in front of an upstream that speaks Chat Completions."""
    async with open_gateway(deploy(upstream, model="openai_compatible/m")) as gateway:
        yield gateway


def sent(upstream: ScriptedUpstream) -> dict[str, Any]:
    return upstream.requests[-1].json()


async def turn(gateway: Gateway, *, stream: bool, **body: Any) -> Sequence[dict[str, Any]]:
    """Return the output of one turn; a stream keeps the rules."""
    if not stream:
        return (await gateway.ask(**body))["output"]
    events = await gateway.stream(**body)
    assert violations(events) == []
    return events[-1]["response"]["output"]


@every_tool
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_a_tool_is_called_and_answered(
    gateway: Gateway,
    upstream: ScriptedUpstream,
    says: Says,
    case: Case,
    stream: bool,
) -> None:
    tool, name, arguments, called, output, told = case
    upstream.add(calling((name, arguments)), says.chat("Done."))
    [item] = await turn(gateway, stream=stream, tools=[tool])
    [function] = [entry["function"] for entry in sent(upstream)["tools"]]
    assert function["name"] == name
    shown = {key: item[key] for key in called}
    assert shown == called
    assert item["call_id"] == "call_0"

    history = [{"role": "user", "content": "go"}, item, {**output, "call_id": "call_0"}]
    [answer] = await turn(gateway, stream=stream, tools=[tool], input=history)
    assert answer["content"][0]["text"] == "Done."
    _, asked, result = sent(upstream)["messages"]
    [call] = asked["tool_calls"]
    assert (call["id"], call["function"]["name"]) == ("call_0", name)
    assert json.loads(call["function"]["arguments"]) == json.loads(arguments)
    assert (result["tool_call_id"], result["content"]) == ("call_0", told)


async def test_the_answer_repeats_the_tools_as_the_client_sent_them(
    gateway: Gateway, upstream: ScriptedUpstream, says: Says
) -> None:
    upstream.add(says.chat("Hi."))
    response = await gateway.ask(
        tools=[{"type": "custom", "name": "exec"}],
        tool_choice={"type": "custom", "name": "exec"},
    )
    assert response["tools"] == [{"type": "custom", "name": "exec"}]
    assert response["tool_choice"] == {"type": "custom", "name": "exec"}
    chosen = {"type": "function", "function": {"name": "exec"}}
    assert sent(upstream)["tool_choice"] == chosen


async def test_found_tools_can_be_called_in_the_next_turn(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    search = {"type": "tool_search", "execution": "client"}
    space = {"type": "namespace", "name": "calendar", "tools": [{**FIND, "defer_loading": True}]}
    history = [
        {"role": "user", "content": "go"},
        {"type": "tool_search_call", "call_id": "c", "arguments": {}, "execution": "client"},
        {"type": "tool_search_output", "call_id": "c", "tools": [space], "execution": "client"},
    ]
    upstream.add(calling(("calendar__find", "{}")))
    [item] = await turn(gateway, stream=True, tools=[search], input=history)
    offered = [entry["function"]["name"] for entry in sent(upstream)["tools"]]
    assert offered == ["tool_search", "calendar__find"]
    assert (item["name"], item["namespace"]) == ("find", "calendar")


async def test_a_client_that_sends_all_tools_as_an_item_is_served(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    functions = {
        "type": "namespace",
        "name": "functions",
        "tools": [{"type": "custom", "name": "exec"}],
    }
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [functions]},
        {"type": "message", "role": "user", "content": "go"},
    ]
    upstream.add(calling(("exec", '{"input": "1"}')))
    events = await gateway.stream(input=items)
    assert [message["role"] for message in sent(upstream)["messages"]] == ["user"]
    deltas = [e["delta"] for e in events if e["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == "1"
    [item] = events[-1]["response"]["output"]
    assert (item["name"], item["namespace"], item["input"]) == ("exec", "functions", "1")


async def test_parallel_calls_of_many_tools_keep_their_order(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    tools = [CASES[name][0] for name in ("custom", "shell", "apply_patch", "namespaced")]
    cases = [CASES[name] for name in ("custom", "shell", "namespaced", "apply_patch")]
    upstream.add(calling(*((case[1], case[2]) for case in cases)))
    output = await turn(gateway, stream=True, tools=tools)
    assert [item["type"] for item in output] == [case[3]["type"] for case in cases]
    assert [item["call_id"] for item in output] == [f"call_{index}" for index in range(4)]
    assert len({item["id"] for item in output}) == 4


async def test_a_call_at_the_token_limit_is_not_run(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(calling(("shell", '{"commands":["rm'), finish="length"))
    events = await gateway.stream(tools=[{"type": "shell"}])
    assert violations(events) == []
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["output"] == []


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_a_wrong_call_is_the_upstreams_failure(
    gateway: Gateway, upstream: ScriptedUpstream, stream: bool
) -> None:
    upstream.add(calling(("shell", '{"commands":5}')))
    with pytest.raises(UpstreamProtocolError, match="'shell'"):
        await turn(gateway, stream=stream, tools=[{"type": "shell"}])


async def test_a_tool_that_only_a_server_could_run_is_refused_before_any_call(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await gateway.ask(tools=[{"type": "shell", "environment": {"type": "container_auto"}}])
    assert caught.value.param == "tools[0].environment.type"
    assert upstream.requests == []
