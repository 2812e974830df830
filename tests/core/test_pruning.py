"""What was dropped is gone, and the rest is as it was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.core.pruning import find, prune
from gateway.types.request import decode_request
from gateway.types.wire import encode

REQUEST: dict[str, Any] = {
    "model": "m",
    "input": [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "image_url": "https://example.com/a.png"},
                {"type": "input_text", "text": "b"},
            ],
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}},
        {"type": "invented", "part": {"a": 1, "b": 2}},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": None, "strict": True, "async": True},
        {"type": "image_generation"},
        {"type": "invented"},
    ],
    "tool_choice": {"type": "image_generation"},
    "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["a", "b", "c"],
    "top_logprobs": 3,
}


def pruned(*paths: str) -> dict[str, Any]:
    request = prune(decode_request(msgspec.json.encode(REQUEST)), paths)
    return msgspec.json.decode(encode(request))


def test_nothing_dropped_is_nothing_changed() -> None:
    request = decode_request(msgspec.json.encode(REQUEST))
    assert prune(request, ()) is request


@pytest.mark.parametrize("path", ["top_logprobs", "reasoning", "tool_choice", "include", "text"])
def test_a_parameter_is_gone(path: str) -> None:
    assert path not in pruned(path)


def test_a_field_gets_its_default() -> None:
    assert pruned("reasoning.effort")["reasoning"] == {"effort": None, "summary": "auto"}
    assert pruned("tools[0].strict")["tools"][0]["strict"] is None
    assert "async" not in pruned("tools[0].async")["tools"][0]
    assert "verbosity" not in pruned("text.verbosity")["text"]


def test_the_type_stands_for_the_whole_element() -> None:
    assert "tool_choice" not in pruned("tool_choice.type")
    assert [tool["type"] for tool in pruned("tools[1].type")["tools"]] == ["function", "invented"]
    assert pruned("text.format.type")["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert [item["type"] for item in pruned("input[1].type")["input"]] == ["message", "invented"]


def test_several_elements_of_one_list_go_at_once() -> None:
    assert pruned("include[0]", "include[2]")["include"] == ["b"]
    left = pruned("tools[0]", "tools[2].type", "tools[2].type", "input[0].content[1]")
    assert [tool["type"] for tool in left["tools"]] == ["image_generation"]
    assert [part["text"] for part in left["input"][0]["content"]] == ["a", "b"]


def test_what_a_struct_cannot_be_without_takes_it_along() -> None:
    assert [item["type"] for item in pruned("input[0].content")["input"]] == [
        "web_search_call",
        "invented",
    ]


@pytest.mark.parametrize(
    "paths",
    [
        ("input[0].content", "input[0].type"),
        ("input[0].content[0].text", "input[0].type"),
        ("input[0].content", "input[0].role"),
    ],
)
def test_what_goes_for_several_reasons_goes_alone(paths: tuple[str, ...]) -> None:
    assert [item["type"] for item in pruned(*paths)["input"]] == ["web_search_call", "invented"]


def test_members_of_unknown_elements_can_go() -> None:
    assert pruned("input[2].part.a")["input"][2] == {"type": "invented", "part": {"b": 2}}


@pytest.mark.parametrize("path", ["nothing", "tools[7].type", "input[0].nothing.type"])
def test_a_path_that_leads_nowhere_is_an_error(path: str) -> None:
    with pytest.raises(LookupError):
        pruned(path)


def test_a_value_is_found_by_its_path() -> None:
    request = decode_request(msgspec.json.encode(REQUEST))
    assert find(request, "tools[1].type") == "image_generation"
    assert find(request, "input[2].type") == "invented"
    assert find(request, "input[0].content[1].type") == "input_image"
    assert find(request, "tool_choice.type") == "image_generation"
