"""Requests that are wrong in any way are refused, and never a fault of the gateway."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import InvalidRequestError
from gateway.testing.preparing import Prepared

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-3, 3) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)
MARK = {"mode": "explicit", "ttl": "30m"}
REQUEST = {
    "instructions": "Be brief.",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look.", "prompt_cache_breakpoint": MARK},
                {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
                {"type": "input_file", "file_data": "data:text/a;base64,YQ==", "filename": "a"},
            ],
        },
        {"type": "reasoning", "summary": [], "encrypted_content": '[{"type": "thinking"}]'},
        {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "computer_call", "call_id": "c", "actions": [{"type": "click", "x": 1, "y": 2}]},
        {
            "type": "function_call_output",
            "call_id": "a",
            "output": [{"type": "input_text", "text": "two"}],
        },
        {
            "type": "computer_call_output",
            "call_id": "c",
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA"},
        },
        {"type": "code_interpreter_call", "id": "ci", "container_id": "container_1"},
        {"role": "developer", "content": "Go on."},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
        {"type": "computer"},
        {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "1g"}},
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["a"]},
            "user_location": {"city": "B"},
        },
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "f"}],
    },
    "reasoning": {"effort": "high", "summary": "auto"},
    "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
    "max_tool_calls": 2,
    "temperature": 0.5,
    "text": {
        "format": {
            "type": "json_schema",
            "name": "n",
            "schema": {
                "type": "object",
                "properties": {"a": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/b"}]}},
                "$defs": {"b": {"type": "array", "items": {"minimum": 1}}},
            },
        }
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def with_another(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = with_another(value[path[0]], path[1:], other)
    return copy


def is_the_gateways(path: tuple[Any, ...]) -> bool:
    """Say whether nobody but the gateway can have written what stands at `path`: it is sealed."""
    return path[-1] == "encrypted_content"


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from([path for path in places(REQUEST) if not is_the_gateways(path)]),
    other=JSON,
    model=st.sampled_from(["claude-opus-5-5", "claude-opus-4-8", "claude-haiku-4-5"]),
)
def test_a_wrong_request_is_refused_or_sent(
    path: tuple[Any, ...], other: Any, model: str, prepare: Callable[..., Prepared]
) -> None:
    request = with_another(REQUEST, path, other)
    try:
        encoded = prepare(request, model=model, on_unsupported="drop").encode()
    except (InvalidRequestError, msgspec.ValidationError):
        return
    assert msgspec.json.decode(encoded.body)["messages"]
