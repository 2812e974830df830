"""Requests that are wrong in any way are refused, and never a fault of the gateway."""

from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.lowering import lower
from gateway.core.pruning import find, prune
from gateway.errors import InvalidRequestError
from gateway.plugin import Call, Deployment
from gateway.types.request import decode_request
from gateway_chat import VENDORS, ChatDialect

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-3, 3) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)
REQUEST = {
    "model": "m",
    "instructions": "Be brief.",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look."},
                {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"},
                {"type": "input_file", "file_data": "data:a/b;base64,AA", "filename": "a.pdf"},
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            ],
        },
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": '{"text": "Hm.", "signatures": {"a": "s"}}',
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}", "namespace": "n"},
        {
            "type": "function_call_output",
            "call_id": "a",
            "output": [{"type": "input_text", "text": "two"}],
        },
        {"type": "custom_tool_call", "call_id": "b", "name": "c", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "b", "output": "y"},
        {"type": "additional_tools", "tools": [{"type": "function", "name": "g"}]},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
        {
            "type": "custom",
            "name": "c",
            "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
        },
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "h"}]},
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
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
    "include": ["message.output_text.logprobs"],
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


@settings(max_examples=400, deadline=None)
@given(
    path=st.sampled_from(list(places(REQUEST))),
    other=JSON,
    row=st.sampled_from(VENDORS),
)
def test_a_wrong_request_is_refused_or_sent(path: tuple[Any, ...], other: Any, row: Any) -> None:
    body = msgspec.json.encode(with_another(REQUEST, path, other))
    deployment = Deployment(
        alias="a", provider=row.name, model="m", account="x", base_url="http://h", quirks=row.quirks
    )
    dialect = ChatDialect()
    try:
        request = decode_request(body)
        verdicts = list(dialect.check(request, deployment))
        dropped = {verdict.param for verdict in verdicts if verdict.action != "emulate"}
        emulated = {v.param for v in verdicts if v.action == "emulate"}
        types = {str(find(request, param)) for param in emulated}
        lowered = lower(prune(request, dropped), types).request
        encoded = dialect.encode(Call(request=lowered, model="m", deployment=deployment))
    except (InvalidRequestError, msgspec.ValidationError):
        return
    assert msgspec.json.decode(encoded.body)["messages"]
