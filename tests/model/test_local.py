"""`local/smollm2`: a model that knows no tools, asked by the official SDK through a gateway."""

from __future__ import annotations

import json
from typing import Any, Literal

import openai
from pydantic import BaseModel, Field

from gateway.stream.lifecycle import violations

MODEL = "local/smollm2"


def function(name: str, description: str) -> Any:
    city = {"type": "string", "maxLength": 20}
    parameters = {"type": "object", "properties": {"city": city}, "required": ["city"]}
    strict = {"additionalProperties": False}
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": parameters | strict,
        "strict": True,
    }


WEATHER = function("get_weather", "Get the current weather of a city.")
TIME = function("get_time", "Get the current time in a city.")
ASKED: Any = {"role": "user", "content": "What is the weather in Paris and in Rome?"}


def stream(client: openai.OpenAI, **request: Any) -> Any:
    """Return the response that the SDK's helper puts together from a stream."""
    parameters: Any = {"model": MODEL, "temperature": 0, "max_output_tokens": 200, **request}
    with client.responses.stream(**parameters) as events:
        return events.get_final_response()


def calls_of(response: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the names and arguments of the calls of `response`, each under an id of its own."""
    calls = [item for item in response.output if item.type == "function_call"]
    assert len({call.call_id for call in calls}) == len(calls)
    return [(call.name, json.loads(call.arguments)) for call in calls]


def test_it_answers_a_question(client: openai.OpenAI) -> None:
    response = client.responses.create(
        model=MODEL,
        instructions="You are a helpful assistant.",
        input="What is the capital of France?",
        temperature=0,
        max_output_tokens=30,
    )
    assert "Paris" in response.output_text
    assert response.usage is not None
    assert 0 < response.usage.output_tokens <= 30 < response.usage.total_tokens


def test_its_text_streams_as_it_comes(client: openai.OpenAI) -> None:
    events: Any = client.responses.create(
        model=MODEL,
        input="Tell me a long story of the sea.",
        temperature=0,
        max_output_tokens=12,
        stream=True,
    )
    seen = list(events)
    assert violations([event.to_dict() for event in seen]) == []
    deltas = [event.delta for event in seen if event.type == "response.output_text.delta"]
    assert len(deltas) > 3
    assert seen[-1].type == "response.incomplete"
    assert seen[-1].response.output_text == "".join(deltas)


def test_its_calls_stream_by_the_rules(client: openai.OpenAI) -> None:
    events: Any = client.responses.create(
        model=MODEL,
        input=[ASKED],
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=True,
        temperature=0,
        max_output_tokens=200,
        stream=True,
    )
    assert violations([event.to_dict() for event in events]) == []


def test_it_must_call_the_function_that_is_named(client: openai.OpenAI) -> None:
    choice = {"type": "function", "name": "get_time"}
    response = stream(client, input=[ASKED], tools=[WEATHER, TIME], tool_choice=choice)
    ((name, arguments), *_) = calls_of(response)
    assert (name, arguments.keys()) == ("get_time", {"city"})
    assert response.output_text == ""


def test_it_may_call_a_function_or_answer(client: openai.OpenAI) -> None:
    response = stream(client, input="How warm is it in Oslo right now?", tools=[WEATHER])
    assert response.status == "completed"
    calls = calls_of(response)
    assert bool(calls) != bool(response.output_text)
    assert all(name == "get_weather" and arguments["city"] for name, arguments in calls)


def test_it_calls_in_parallel_where_several_calls_are_wanted(client: openai.OpenAI) -> None:
    response = stream(
        client,
        input=[ASKED],
        tools=[WEATHER],
        tool_choice="required",
        parallel_tool_calls=True,
    )
    cities = [arguments["city"] for _, arguments in calls_of(response)]
    assert cities[:2] == ["Paris", "Rome"]


def test_it_calls_once_where_parallel_calls_are_not_wanted(client: openai.OpenAI) -> None:
    request = {"tools": [WEATHER], "tool_choice": "required", "parallel_tool_calls": False}
    assert len(calls_of(stream(client, input=[ASKED], **request))) == 1


class Animal(BaseModel, strict=True, extra="forbid"):
    """What the model is held to."""

    name: str = Field(max_length=20)
    kind: Literal["bird", "fish", "mammal"]
    legs: int = Field(ge=0, le=9)


def test_it_keeps_to_a_json_schema(client: openai.OpenAI) -> None:
    response = client.responses.parse(
        model=MODEL, input="Describe a cat.", text_format=Animal, temperature=0
    )
    assert Animal.model_validate_json(response.output_text) == response.output_parsed


def test_a_loop_of_three_turns_ends_with_an_answer(client: openai.OpenAI) -> None:
    items: list[Any] = [{"role": "user", "content": "What is the weather and the time in Paris?"}]
    for name, output in (("get_weather", "18 degrees and sunny"), ("get_time", "14:05")):
        choice = {"type": "function", "name": name}
        response = stream(
            client,
            input=items,
            tools=[WEATHER, TIME],
            tool_choice=choice,
            parallel_tool_calls=False,
        )
        (call,) = response.output
        assert call.name == name
        result = {"type": "function_call_output", "call_id": call.call_id, "output": output}
        items += [call.to_dict(), result]
    response = stream(client, input=items, tools=[WEATHER, TIME], tool_choice="none")
    assert [item.type for item in response.output] == ["message"]
    assert response.output_text.strip()


def test_a_custom_tool_is_called_with_free_text(client: openai.OpenAI) -> None:
    tool: Any = {"type": "custom", "name": "run_python", "description": "Run a line of Python."}
    response = stream(
        client,
        input="Print the sum of 17 and 25 with Python.",
        tools=[tool],
        tool_choice={"type": "custom", "name": "run_python"},
        parallel_tool_calls=False,
        max_output_tokens=60,
    )
    (call,) = response.output
    assert (call.type, call.name) == ("custom_tool_call", "run_python")
    assert call.input
