"""What we make of recorded Chat Completions keeps to the schema of the Open Responses project.

Its types come from `openresponses-types`, and they are closed. What they do not have is left out
here, and nothing else: items of other types with their events, and `json_schema` formats, of which
the types demand that the schema be null. Events of reasoning text have OpenAI's names here; Open
Responses has the same events under names of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from openresponses_types import types
from pydantic import BaseModel

from gateway.testing import replay as play
from gateway.testing.replay import plain
from gateway.types.request import decode_request

if TYPE_CHECKING:
    from .conftest import CallOf, Recording

API = "chat_completions"
ABOUT = {
    "test_every_event_keeps_to_the_schema": lambda one: one.good,
    "test_what_was_asked_is_echoed_by_the_schema": lambda one: one.name == ECHOING,
}
ECHOING = "vllm-chat-json-ogx-df353403-0"  # any other would do
ITEMS = {"message", "function_call", "reasoning"}
THEIR_NAMES = {
    "response.reasoning_text.delta": "response.reasoning.delta",
    "response.reasoning_text.done": "response.reasoning.done",
}
OTHER_EVENTS = ("response.custom_tool_call_input.", "response.image_generation_call.")
FUNCTION = {"type": "function", "name": "get_weather", "strict": False}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}


def schemas() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the type of each event and its schema."""
    for name, kind in vars(types).items():
        if name.endswith("StreamingEvent"):
            [value] = kind.model_fields["type"].annotation
            yield value.value, kind


SCHEMAS = dict(schemas())


def covered(events: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield what the schema has of `events`."""
    for event in events:
        if event["type"].startswith(OTHER_EVENTS):
            continue
        if event.get("item", {"type": "message"})["type"] not in ITEMS:
            continue
        if response := event.get("response"):
            output = [item for item in response["output"] if item["type"] in ITEMS]
            yield {**event, "response": {**response, "output": output}}
        else:
            yield {**event, "type": THEIR_NAMES.get(event["type"], event["type"])}


def check(events: Iterable[Mapping[str, Any]]) -> None:
    for event in covered(events):
        SCHEMAS[event["type"]].model_validate_json(json.dumps(event), strict=True)


def test_every_event_keeps_to_the_schema(call_of: CallOf, recording: Recording) -> None:
    dialect, call = call_of(recording)
    check(plain(play(dialect, call, [recording.body], whole=not recording.stream)))


@pytest.mark.parametrize(
    "asked",
    [
        {"tools": [FUNCTION]},
        {
            "tools": [
                {**FUNCTION, "parameters": PARAMETERS, "strict": True, "description": "Weather"}
            ]
        },
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "get_weather"}},
        {"tools": [FUNCTION], "tool_choice": "required", "parallel_tool_calls": False},
        {"reasoning": {"effort": "low"}},
        {"text": {"format": {"type": "json_object"}}},
        {"text": {"verbosity": "low"}},
        {"instructions": "be brief", "max_output_tokens": 9, "temperature": 0, "top_p": 0.5},
        {"metadata": {"a": "b"}, "truncation": "auto", "service_tier": "auto", "top_logprobs": 2},
    ],
    ids=json.dumps,
)
def test_what_was_asked_is_echoed_by_the_schema(
    call_of: CallOf, recording: Recording, asked: Mapping[str, Any]
) -> None:
    dialect, call = call_of(recording)
    body = json.dumps({"model": "m", "input": "hello", **asked}).encode()
    call = msgspec.structs.replace(call, request=decode_request(body))
    check(plain(play(dialect, call, [recording.body], whole=not recording.stream)))
