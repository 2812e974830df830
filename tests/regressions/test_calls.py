"""Reports 3 and 10: calls that other bridges mix up, and tools that they lose.

The numbers are those of the list that the project was given of bugs known in other gateways; those
of the reports themselves stand beside it there. Of 2, signatures of Gemini, Gemini's chat surface
is concerned here; its own API is in `test_families.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import GatewayError

from .conftest import output_of

if TYPE_CHECKING:
    from .conftest import Gateway, Json, Says

WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
TIME: Json = {**WEATHER, "name": "get_time"}
GRAMMAR = 'start: "*** Begin Patch" /.+/'
PATCH = '*** Begin Patch\n"quoted" \\ ünïcode\n*** End Patch'


def piece(
    index: int | None = None,
    identifier: str | None = None,
    name: str | None = None,
    arguments: str | None = None,
) -> Json:
    """Return a piece of a call; what is None is not in it."""
    function = {"name": name, "arguments": arguments}
    whole = {"index": index, "id": identifier, "type": "function"}
    given = {key: value for key, value in whole.items() if value is not None}
    return {**given, "function": {k: v for k, v in function.items() if v is not None}}


ROME, BERN = '{"city": "Rome"}', '{"city": "Bern"}'
PARALLEL = {
    "pieces of both in turn, told apart by index": [
        [piece(0, "a", "get_weather", "")],
        [piece(1, "b", "get_time", "")],
        [piece(0, arguments='{"city"')],
        [piece(1, arguments='{"city": ')],
        [piece(0, arguments=': "Rome"}')],
        [piece(1, arguments='"Bern"}')],
    ],
    "both in the same chunk": [
        [piece(0, "a", "get_weather", ROME), piece(1, "b", "get_time", BERN)],
    ],
    "all of index 0": [
        [piece(0, "a", "get_weather", ROME)],
        [piece(0, "b", "get_time", BERN)],
    ],
    "all of index 0, in pieces": [
        [piece(0, "a", "get_weather", "")],
        [piece(0, arguments=ROME[:8])],
        [piece(0, arguments=ROME[8:])],
        [piece(0, "b", "get_time", BERN[:4])],
        [piece(0, arguments=BERN[4:])],
    ],
    "without an index": [
        [piece(None, "a", "get_weather", ROME)],
        [piece(None, "b", "get_time", BERN)],
    ],
    "without an index, in the same chunk": [
        [piece(None, "a", "get_weather", ROME), piece(None, "b", "get_time", BERN)],
    ],
    "id and name in each piece": [
        [piece(0, "a", "get_weather", ROME[:5])],
        [piece(0, "a", "get_weather", ROME[5:])],
        [piece(1, "b", "get_time", BERN[:5])],
        [piece(1, "b", "get_time", BERN[5:])],
    ],
    "id and name in each piece, arguments at last": [
        [piece(0, "a", "get_weather", "")],
        [piece(0, "a", "get_weather", ROME)],
        [piece(1, "b", "get_time", "")],
        [piece(1, "b", "get_time", BERN)],
    ],
    "empty ids and names after the first piece": [
        [piece(0, "a", "get_weather", "")],
        [piece(0, "", "", ROME)],
        [piece(1, "b", "get_time", "")],
        [piece(1, "", "", BERN)],
    ],
    "from index 1": [
        [piece(1, "a", "get_weather", ROME)],
        [piece(2, "b", "get_time", BERN)],
    ],
}


@pytest.mark.parametrize("style", PARALLEL)
@pytest.mark.parametrize("said", ["", "Let me see."], ids=["silent", "after text"])
@pytest.mark.parametrize("second", ["get_time", "get_weather"], ids=["two tools", "one tool"])
async def test_3_parallel_calls_are_told_apart(
    gateway: Gateway, says: Says, style: str, second: str, said: str
) -> None:
    styled = json.loads(json.dumps(PARALLEL[style]).replace("get_time", second))
    deltas: list[Json] = [{"tool_calls": pieces} for pieces in styled]
    gateway.will_say(says.stream({"role": "assistant", "content": said}, *deltas))
    answered = await gateway.stream("openai_compatible", tools=[WEATHER, TIME])
    calls = answered.of("function_call")
    assert [(c["call_id"], c["name"], c["arguments"]) for c in calls] == [
        ("a", "get_weather", ROME),
        ("b", second, BERN),
    ]
    for call in calls:
        deltas = answered.named("response.function_call_arguments.delta")
        told = [event["delta"] for event in deltas if event["item_id"] == call["id"]]
        assert "".join(told) == call["arguments"]
    added = answered.named("response.output_item.added")
    assert [event["output_index"] for event in added] == list(range(len(added)))
    assert [e["item"]["name"] for e in added if e["item"]["type"] == "function_call"] == [
        "get_weather",
        second,
    ]


async def test_3_calls_without_ids_get_ids_that_their_outputs_go_by(
    gateway: Gateway, says: Says
) -> None:
    pieces = [piece(None, "", "get_weather", ROME), piece(None, "", "get_weather", BERN)]
    gateway.will_say(says.stream({"tool_calls": pieces}), says.stream({"content": "Warm."}))
    first = await gateway.stream("openai_compatible", tools=[WEATHER])
    outputs = [output_of(call, call["arguments"]) for call in first.output]
    history = [{"role": "user", "content": "?"}, *first.output, *reversed(outputs)]
    await gateway.stream("openai_compatible", tools=[WEATHER], input=history)
    _, assistant, *tools = gateway.sent[1]["messages"]
    assert [call["function"]["arguments"] for call in assistant["tool_calls"]] == [ROME, BERN]
    assert [(tool["tool_call_id"], tool["content"]) for tool in tools] == [
        (call["id"], call["function"]["arguments"]) for call in assistant["tool_calls"]
    ]
    assert len({tool["tool_call_id"] for tool in tools}) == 2


async def test_3_ids_that_start_anew_in_each_answer_are_not_mixed_up(
    gateway: Gateway, says: Says
) -> None:
    deltas: list[Json] = [{"tool_calls": [says.call(0, "get_weather", ROME)]}]
    gateway.will_say(says.stream(*deltas), says.stream(*deltas), says.stream({"content": "ok"}))
    history: list[Json] = [{"role": "user", "content": "?"}]
    for output in ("sun", "rain"):
        answered = await gateway.stream("openai_compatible", tools=[WEATHER], input=history)
        history += [*answered.output, output_of(answered.output[0], output)]
    await gateway.stream("openai_compatible", tools=[WEATHER], input=history)
    tools = [one for one in gateway.sent[2]["messages"] if one["role"] == "tool"]
    assert [tool["content"] for tool in tools] == ["sun", "rain"]


async def test_3_another_id_is_another_call_whatever_its_index(
    gateway: Gateway, says: Says
) -> None:
    deltas: list[Json] = [{"tool_calls": [piece(0, one, "get_time", "")]} for one in "ab"]
    gateway.will_say(says.stream(*deltas))
    calls = (await gateway.stream("openai_compatible", tools=[TIME])).output
    assert [call["call_id"] for call in calls] == ["a", "b"]


async def test_3_calls_with_neither_ids_nor_arguments_are_two(gateway: Gateway, says: Says) -> None:
    gateway.will_say(says.stream({"tool_calls": [piece(None, "", "get_time", "")] * 2}))
    calls = (await gateway.stream("gemini_chat", tools=[TIME])).output
    assert [call["name"] for call in calls] == ["get_time", "get_time"]
    assert len({call["call_id"] for call in calls}) == 2


@pytest.mark.parametrize("arguments", ["", "{}", None], ids=["empty", "an object", "none"])
async def test_3_a_call_without_arguments_keeps_its_name(
    gateway: Gateway, says: Says, arguments: str | None
) -> None:
    gateway.will_say(says.stream({"tool_calls": [piece(0, "a", "get_time", arguments)]}))
    [call] = (await gateway.stream("openai_compatible", tools=[TIME])).output
    assert (call["call_id"], call["name"]) == ("a", "get_time")
    assert json.loads(call["arguments"]) == {}


async def test_3_arguments_that_were_run_together_are_refused_and_not_passed_on(
    gateway: Gateway,
) -> None:
    call: Json = {"type": "function_call", "call_id": "a", "name": "get_weather"}
    history = [{"role": "user", "content": "?"}, {**call, "arguments": ROME + BERN}]
    history.append(output_of(call, "20"))
    with pytest.raises(GatewayError) as raised:
        await gateway.stream("openai_compatible", tools=[WEATHER], input=history)
    assert (raised.value.status, raised.value.param) == (400, "input[1].arguments")


def custom(name: str = "apply_patch") -> Json:
    grammar = {"type": "grammar", "syntax": "lark", "definition": GRAMMAR}
    return {"type": "custom", "name": name, "description": "Edits files.", "format": grammar}


def namespace(*tools: Json) -> Json:
    return {"type": "namespace", "name": "editor", "description": "Edits.", "tools": list(tools)}


def functions(body: Json) -> dict[str, Json]:
    assert {tool["type"] for tool in body["tools"]} == {"function"}
    return {tool["function"]["name"]: tool["function"] for tool in body["tools"]}


async def test_10_a_custom_tool_is_called_with_plain_text(gateway: Gateway, says: Says) -> None:
    arguments = json.dumps({"input": PATCH})
    pieces = [piece(0, "a", "apply_patch", arguments[:15]), piece(0, arguments=arguments[15:])]
    gateway.will_say(says.stream(*({"tool_calls": [one]} for one in pieces)))
    answered = await gateway.stream("openai_compatible", tools=[custom()])
    function = functions(gateway.sent[0])["apply_patch"]
    assert set(function["parameters"]["properties"]) == {"input"}
    assert GRAMMAR in json.dumps(function, ensure_ascii=False).replace('\\"', '"')
    [call] = answered.output
    assert call["type"] == "custom_tool_call"
    assert (call["call_id"], call["name"], call["input"]) == ("a", "apply_patch", PATCH)
    deltas = answered.named("response.custom_tool_call_input.delta")
    assert "".join(event["delta"] for event in deltas) == PATCH
    assert answered.named("response.function_call_arguments.delta") == []


async def test_10_a_call_of_a_custom_tool_goes_back_with_its_output(
    gateway: Gateway, says: Says
) -> None:
    gateway.will_say(says.stream({"content": "Done."}))
    call: Json = {"type": "custom_tool_call", "call_id": "a", "name": "apply_patch", "input": PATCH}
    output = {"type": "custom_tool_call_output", "call_id": "a", "output": "patched"}
    history = [{"role": "user", "content": "?"}, call, output]
    await gateway.stream("openai_compatible", tools=[custom()], input=history)
    _, assistant, tool = gateway.sent[0]["messages"]
    [called] = assistant["tool_calls"]
    assert called["function"]["name"] == "apply_patch"
    assert json.loads(called["function"]["arguments"]) == {"input": PATCH}
    assert (tool["tool_call_id"], tool["content"]) == (called["id"], "patched")


@pytest.mark.parametrize("place", ["tools", "additional_tools"])
async def test_10_a_custom_tool_in_a_namespace_keeps_its_grammar(
    gateway: Gateway, says: Says, place: str
) -> None:
    tools = [namespace(custom(), WEATHER)]
    body: Json = {"tools": tools}
    if place == "additional_tools":
        added = {"type": "additional_tools", "role": "developer", "tools": tools}
        body = {"input": [added, {"role": "user", "content": "?"}]}
    [name] = [f"editor__{tool}" for tool in ["apply_patch"]]
    arguments = json.dumps({"input": PATCH})
    gateway.will_say(says.stream({"tool_calls": [piece(0, "a", name, arguments)]}))
    answered = await gateway.stream("openai_compatible", **body)
    offered = functions(gateway.sent[0])
    assert set(offered) == {name, "editor__get_weather"}
    assert set(offered[name]["parameters"]["properties"]) == {"input"}
    assert GRAMMAR in json.dumps(offered[name], ensure_ascii=False).replace('\\"', '"')
    [call] = answered.output
    assert (call["type"], call["namespace"]) == ("custom_tool_call", "editor")
    assert (call["name"], call["input"]) == ("apply_patch", PATCH)


async def test_10_a_call_in_a_namespace_is_told_with_it(gateway: Gateway, says: Says) -> None:
    pieces = [piece(0, "a", "editor__get_weather", ROME)]
    gateway.will_say(says.stream({"tool_calls": pieces}), says.stream({"content": "Warm."}))
    tools = [namespace(WEATHER), TIME]
    first = await gateway.stream("openai_compatible", tools=tools)
    [call] = first.output
    assert (call["type"], call["namespace"], call["name"]) == (
        "function_call",
        "editor",
        "get_weather",
    )
    history = [{"role": "user", "content": "?"}, call, output_of(call, "20")]
    await gateway.stream("openai_compatible", tools=tools, input=history)
    [called] = gateway.sent[1]["messages"][1]["tool_calls"]
    assert called["function"]["name"] == "editor__get_weather"


async def test_10_the_choice_of_a_custom_tool_names_its_function(
    gateway: Gateway, says: Says
) -> None:
    gateway.will_say(says.stream({"content": "ok"}))
    choice = {"type": "custom", "name": "apply_patch"}
    await gateway.stream("openai_compatible", tools=[custom(), WEATHER], tool_choice=choice)
    chosen = gateway.sent[0]["tool_choice"]
    assert chosen == {"type": "function", "function": {"name": "apply_patch"}}


async def test_10_a_tool_search_loads_tools_that_can_be_called(
    gateway: Gateway, says: Says
) -> None:
    search: Json = {
        "type": "tool_search",
        "execution": "client",
        "description": "Finds tools.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
    }
    asked = [piece(0, "a", "tool_search", '{"query": "weather"}')]
    found = [piece(0, "b", "get_weather", ROME)]
    gateway.will_say(says.stream({"tool_calls": asked}), says.stream({"tool_calls": found}))
    first = await gateway.stream("openai_compatible", tools=[search])
    [call] = first.output
    assert call["type"] == "tool_search_call"
    assert call["arguments"] == {"query": "weather"}
    loaded = {
        "type": "tool_search_output",
        "call_id": call["call_id"],
        "execution": "client",
        "status": "completed",
        "tools": [WEATHER],
    }
    history = [{"role": "user", "content": "?"}, call, loaded]
    second = await gateway.stream("openai_compatible", tools=[search], input=history)
    assert "get_weather" in functions(gateway.sent[1])
    assert [(item["type"], item["name"]) for item in second.output] == [
        ("function_call", "get_weather")
    ]


@pytest.mark.parametrize("row", ["openai_compatible", "openai_chat", "mistral"])
async def test_10_fields_that_an_upstream_does_not_know_stay_here(
    gateway: Gateway, says: Says, row: str
) -> None:
    tool: dict[str, Any] = {**WEATHER, "search_content_types": ["text"], "defer_loading": False}
    gateway.will_say(says.stream({"content": "ok"}))
    await gateway.stream(row, tools=[tool])
    [sent] = gateway.sent[0]["tools"]
    assert set(sent) == {"type", "function"}
    assert set(sent["function"]) <= {"name", "description", "parameters", "strict"}
