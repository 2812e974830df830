"""The rows `llamacpp` and `ollama` against llama.cpp's own server, asked by the official SDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openai
import pytest

import gateway
from gateway.config import default_config
from gateway.stream.lifecycle import violations

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the current weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
TOO_LONG = "word " * 3000  # the server was started for 2048 tokens

both = pytest.mark.parametrize("model", ["llamacpp", "ollama"])


def ask(client: openai.OpenAI, model: str, question: Any = "Hello!", **request: Any) -> Any:
    parameters: Any = {"model": model, "temperature": 0, "max_output_tokens": 12, **request}
    return client.responses.create(input=question, **parameters)


def stream(client: openai.OpenAI, model: str, question: Any = "Hello!", **request: Any) -> Any:
    """Return the response at the end of a stream that keeps the rules."""
    events = list(ask(client, model, question, stream=True, **request))
    assert violations([event.to_dict() for event in events]) == []
    return events[-1].response


@both
def test_it_answers_and_says_what_that_took(client: openai.OpenAI, model: str) -> None:
    response = ask(client, model)
    assert response.output_text
    assert response.usage.input_tokens > 0
    assert 0 < response.usage.output_tokens <= 12
    total = response.usage.input_tokens + response.usage.output_tokens
    assert response.usage.total_tokens == total


@both
def test_it_streams(client: openai.OpenAI, model: str) -> None:
    response = stream(client, model, "Count from one to a hundred.", max_output_tokens=5)
    assert response.output_text
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"


@both
def test_it_keeps_to_a_json_schema(client: openai.OpenAI, model: str) -> None:
    colour = {"type": "string", "enum": ["red", "green", "blue"]}
    schema = {
        "type": "object",
        "properties": {"colour": colour},
        "required": ["colour"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}
    response = ask(
        client, model, "Which colour has the sky?", text={"format": wanted}, max_output_tokens=40
    )
    answer = json.loads(response.output_text)
    assert answer.keys() == {"colour"}
    assert answer["colour"] in colour["enum"]


@both
def test_it_gives_log_probabilities(client: openai.OpenAI, model: str) -> None:
    include = ["message.output_text.logprobs"]
    response = stream(client, model, include=include, top_logprobs=2, max_output_tokens=3)
    (part,) = response.output[0].content
    assert "".join(logprob.token for logprob in part.logprobs) == part.text
    assert all(logprob.logprob <= 0 for logprob in part.logprobs)
    assert {len(logprob.top_logprobs) for logprob in part.logprobs} == {2}


@both
def test_tools_and_a_history_of_calls_reach_the_template(client: openai.OpenAI, model: str) -> None:
    arguments = '{"city":"Paris"}'
    items = [
        {"role": "user", "content": "How warm is it in Paris?"},
        {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": arguments},
        {"type": "function_call_output", "call_id": "a", "output": "18 degrees"},
    ]
    plain = ask(client, model, items)
    tooled = ask(client, model, items, tools=[WEATHER])
    assert tooled.usage.input_tokens > plain.usage.input_tokens + 20


def test_llamacpp_can_be_told_that_it_must_call(client: openai.OpenAI) -> None:
    response = stream(client, "llamacpp", tools=[WEATHER], tool_choice="required")
    assert response.output  # a call, or what the template lets so small a model say instead


def test_ollama_cannot_be_made_to_call(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client, "ollama", tools=[WEATHER], tool_choice="required")
    assert raised.value.param == "tool_choice"


@both
@pytest.mark.parametrize("streamed", [False, True])
def test_too_long_an_input_is_called_that(
    client: openai.OpenAI, model: str, streamed: bool
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client, model, TOO_LONG, stream=streamed)
    assert (raised.value.code, raised.value.param) == ("context_length_exceeded", "input")


def test_system_messages_anywhere_suit_a_template_that_takes_one(client: openai.OpenAI) -> None:
    items = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be polite."},
        {"role": "user", "content": "Hello!"},
        {"role": "system", "content": "Speak English."},
        {"role": "user", "content": "Who are you?"},
    ]
    assert ask(client, "llamacpp", items, instructions="You are a cat.").output_text


def test_a_client_that_leaves_frees_the_model(client: openai.OpenAI) -> None:
    long = ask(client, "llamacpp", "Tell a long story.", stream=True, max_output_tokens=1900)
    with long as events:
        next(event for event in events if event.type == "response.output_text.delta")
    # The server does one thing at a time, and would tell its story for some twenty seconds.
    assert ask(client, "llamacpp", timeout=10).output_text


def test_connections_that_the_server_closes_do_no_harm(client: openai.OpenAI) -> None:
    """llama.cpp announces keep-alive, and closes the connection after each stream."""
    for _ in range(4):
        assert ask(client, "llamacpp", max_output_tokens=1).output_text
        assert stream(client, "llamacpp", max_output_tokens=1).output_text
        with pytest.raises(openai.BadRequestError):
            ask(client, "llamacpp", TOO_LONG)


async def test_ollama_needs_nothing_but_its_own_environment_variable(
    llamacpp: str, tmp_path: Path
) -> None:
    port = llamacpp.rpartition(":")[2]
    environment = {"GATEWAY_HOME": str(tmp_path), "OLLAMA_HOST": f"0.0.0.0:{port}"}
    async with gateway.Gateway(default_config(environment)) as own:
        response = await own.responses(model="ollama/smollm2", input="Hello!", max_output_tokens=5)
    assert response.output_text
