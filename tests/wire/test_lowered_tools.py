"""The official SDK offers tools that the upstream behind us does not know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.testing import ScriptedUpstream

if TYPE_CHECKING:
    from .conftest import AsyncSdk, Invented, SyncSdk

    Sdk = SyncSdk | AsyncSdk

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXEC: dict[str, Any] = {
    "type": "custom",
    "name": "exec",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
}
CALENDAR: dict[str, Any] = {
    "type": "namespace",
    "name": "calendar",
    "description": "appointments",
    "tools": [{"type": "function", "name": "find", "parameters": {"type": "object"}}],
}
SHELL: dict[str, Any] = {"type": "shell", "environment": {"type": "local"}}
PATCH: dict[str, Any] = {"type": "apply_patch"}
TOOLS = [EXEC, CALENDAR, SHELL, PATCH]
ASKED = {"role": "user", "content": "go"}


def call(name: str, *pieces: str, index: int = 0) -> list[dict[str, Any]]:
    """Return the deltas of one call of a function."""
    begin = {"id": f"call_{index}", "type": "function", "function": {"name": name}}
    return [
        {"tool_calls": [{"index": index, **begin}]},
        *({"tool_calls": [{"index": index, "function": {"arguments": p}}]} for p in pieces),
    ]


async def first_turn(sdk: Sdk, tools: list[Any]) -> tuple[list[Any], Any]:
    """Return the events of the `stream()` helper, and the one item that it ends with."""
    events, final = await sdk.stream(
        lambda c: c.responses.stream(model="chatty", input=[ASKED], tools=tools)
    )
    [item] = final.output
    assert [event.type for event in events[-2:]] == [
        "response.output_item.done",
        "response.completed",
    ]
    return events, item


async def second_turn(sdk: Sdk, item: Any, output: dict[str, Any], **request: Any) -> Any:
    history = [ASKED, item.to_dict(), {**output, "call_id": item.call_id}]
    return await sdk.call(
        lambda c: c.responses.create(model="chatty", input=history, tools=TOOLS, **request)
    )


def told(upstream: ScriptedUpstream) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the call and the output that the last request told the upstream of."""
    _, asked, result = upstream.requests[-1].json()["messages"]
    [called] = asked["tool_calls"]
    assert called["id"] == result["tool_call_id"]
    return called["function"], result


async def test_a_custom_tool_streams_its_input(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    pieces = ('{"input"', ': "print(', "\\", "n\\ud83d", '\\ude00)"}')
    upstream.add(
        invented.chat(*call("exec", *pieces), finish="tool_calls"),
        invented.chat({"content": "Ok."}),
    )
    events, item = await first_turn(sdk, [EXEC])
    assert (item.type, item.name, item.input) == ("custom_tool_call", "exec", "print(\n😀)")
    assert item.call_id == "call_0"
    deltas = [e for e in events if e.type == "response.custom_tool_call_input.delta"]
    assert "".join(event.delta for event in deltas) == item.input
    assert len(deltas) > 1
    [done] = [e for e in events if e.type == "response.custom_tool_call_input.done"]
    assert (done.input, done.item_id, done.output_index) == (item.input, item.id, 0)

    output = {"type": "custom_tool_call_output", "output": "😀"}
    answer = await second_turn(sdk, item, output, tool_choice={"type": "custom", "name": "exec"})
    assert answer.output_text == "Ok."
    function, result = told(upstream)
    assert json.loads(function["arguments"]) == {"input": item.input}
    assert result["content"] == "😀"


async def test_a_function_in_a_namespace_says_both_names(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(
        invented.chat(*call("calendar__find", '{"day"', ": 1}"), finish="tool_calls"),
        invented.chat({"content": "Ok."}),
    )
    events, item = await first_turn(sdk, [CALENDAR])
    assert (item.type, item.name, item.namespace) == ("function_call", "find", "calendar")
    deltas = [e.delta for e in events if e.type == "response.function_call_arguments.delta"]
    assert json.loads("".join(deltas)) == json.loads(item.arguments) == {"day": 1}

    await second_turn(sdk, item, {"type": "function_call_output", "output": "none"})
    function, _ = told(upstream)
    assert function["name"] == "calendar__find"


async def test_a_shell_call_is_an_item_of_its_own(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(
        invented.chat(*call("shell", '{"commands": ["l', 's"]}'), finish="tool_calls"),
        invented.chat({"content": "Ok."}),
    )
    _, item = await first_turn(sdk, [SHELL])
    assert (item.type, item.call_id, item.status) == ("shell_call", "call_0", "completed")
    assert item.action.commands == ["ls"]

    printed = [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    await second_turn(sdk, item, {"type": "shell_call_output", "output": printed})
    function, result = told(upstream)
    assert json.loads(function["arguments"]) == {"commands": ["ls"]}
    assert json.loads(result["content"]) == printed


async def test_a_patch_is_an_item_of_its_own(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    operation = {"type": "create_file", "path": "a.py", "diff": "+x = 1"}
    upstream.add(
        invented.chat(*call("apply_patch", json.dumps(operation)), finish="tool_calls"),
        invented.chat({"content": "Ok."}),
    )
    _, item = await first_turn(sdk, [PATCH])
    assert (item.type, item.call_id, item.status) == ("apply_patch_call", "call_0", "completed")
    assert item.operation.to_dict() == operation

    await second_turn(sdk, item, {"type": "apply_patch_call_output", "status": "failed"})
    function, result = told(upstream)
    assert json.loads(function["arguments"]) == operation
    assert json.loads(result["content"]) == {"status": "failed"}


async def test_all_of_them_at_once_keep_their_order(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    calls = [
        *call("shell", '{"commands": ["ls"]}'),
        *call("exec", '{"input": "1"}', index=1),
        *call("calendar__find", "{}", index=2),
        *call("apply_patch", '{"type": "delete_file", "path": "a"}', index=3),
    ]
    upstream.add(invented.chat({"content": "First "}, *calls, finish="tool_calls"))
    _, final = await sdk.stream(
        lambda c: c.responses.stream(model="chatty", input=[ASKED], tools=TOOLS)
    )
    assert [item.type for item in final.output] == [
        "message",
        "shell_call",
        "custom_tool_call",
        "function_call",
        "apply_patch_call",
    ]
