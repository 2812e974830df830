"""Arguments in headers: which tools ask for them, and what they get."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from mcp.shared.inbound import (
    encode_header_value,
    find_invalid_x_mcp_header,
    mcp_param_headers,
    x_mcp_header_map,
)

from gateway_mcp.eras import encode_header
from gateway_mcp.parameter_headers import marks, parameter_headers

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "options": {
            "type": "object",
            "properties": {"dry": {"type": "boolean", "x-mcp-header": "Dry"}},
        },
        "sample": {"type": "object", "default": {"x-mcp-header": "not a mark"}},
    },
}
MARK = {"type": "string", "x-mcp-header": "Region"}


def test_marked_arguments_are_in_the_headers() -> None:
    found = marks(SCHEMA) or {}
    assert found == {("region",): "Region", ("options", "dry"): "Dry"}
    arguments = {"region": "Köln", "options": {"dry": True}}
    assert parameter_headers(found, arguments) == {
        "Mcp-Param-Region": "=?base64?S8O2bG4=?=",
        "Mcp-Param-Dry": "true",
    }
    assert parameter_headers(found, {"region": None, "options": "none"}) == {}


@pytest.mark.parametrize(
    "schema",
    [
        MARK,
        {"properties": {"a": {**MARK, "x-mcp-header": "two words"}}},
        {"properties": {"a": {**MARK, "x-mcp-header": ""}}},
        {"properties": {"a": {**MARK, "x-mcp-header": 3}}},
        {"properties": {"a": {**MARK, "type": "number"}}},
        {"properties": {"a": {**MARK, "type": ["string"]}}},
        {"properties": {"a": MARK, "b": {**MARK, "x-mcp-header": "REGION"}}},
        {"properties": {"a": {"items": MARK}}},
        {"properties": {"a": {"anyOf": [MARK]}}},
        {"$defs": {"a": MARK}},
        {"patternProperties": {"a": MARK}},
    ],
)
def test_a_tool_with_a_wrong_mark_is_not_used(schema: dict[str, Any]) -> None:
    assert marks(schema) is None
    assert find_invalid_x_mcp_header(schema) is not None


names = some.sampled_from(["a", "b", "properties", "items", "default"])
leaves = some.fixed_dictionaries(
    {"type": some.sampled_from(["string", "integer", "number", "object"])},
    optional={"x-mcp-header": some.sampled_from(["A", "a", "B", "C", "not ok"])},
)


def around(inner: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    """Return schemas that hold other schemas, where JSON Schema has them, and data like them."""
    several = some.dictionaries(names, inner, max_size=3)
    shapes = {
        "properties": several,
        "items": inner,
        "not": inner,
        "anyOf": some.lists(inner, max_size=2),
        "$defs": several,
        "default": inner,
        "enum": some.lists(inner, max_size=2),
    }
    return some.fixed_dictionaries({}, optional=shapes)


schemas = some.recursive(leaves, around, max_leaves=6)


@given(
    schemas,
    some.recursive(
        some.text() | some.booleans() | some.integers(),
        lambda inner: some.dictionaries(names, inner),
        max_leaves=5,
    ),
)
def test_the_official_sdk_agrees(schema: dict[str, Any], arguments: Any) -> None:
    found = marks(schema)
    assert (found is None) == (find_invalid_x_mcp_header(schema) is not None)
    if found is not None and isinstance(arguments, dict):
        assert found == x_mcp_header_map(schema)
        assert parameter_headers(found, arguments) == mcp_param_headers(found, arguments)


@given(some.text())
def test_any_text_survives_as_a_header(value: str) -> None:
    assert encode_header(value) == encode_header_value(value)
    assert encode_header(value).isascii()
