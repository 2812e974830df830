"""Open unions keep what they do not know, and errors say where they are."""

from typing import Any

import msgspec
import pytest

from gateway.types.content import ContentPart, InputText
from gateway.types.open import Unknown, decode_hook, lenient_hook, problem
from gateway.types.request import Request, decode_request
from gateway.types.tools import FunctionTool, Tool, ToolChoice, WebSearchTool
from gateway.types.wire import encode


def strict(union: Any, json: bytes) -> Any:
    return msgspec.json.decode(json, type=union, dec_hook=decode_hook)


def lenient(union: Any, json: bytes) -> Any:
    return msgspec.json.decode(json, type=union, dec_hook=lenient_hook)


def problem_of(body: bytes) -> tuple[str, str | None]:
    with pytest.raises(msgspec.ValidationError) as caught:
        decode_request(body)
    return problem(caught.value)


def test_a_known_type_becomes_its_struct() -> None:
    tool = strict(Tool, b'{"type":"function","name":"add"}')

    assert tool == FunctionTool(name="add")
    assert tool.type == "function"


def test_an_unknown_type_is_kept_verbatim() -> None:
    json = b'{"type":"x_search","deep":{"list":[1,null,{"a":"\\u00e9"}]}}'

    tool = strict(Tool, json)

    assert isinstance(tool, Unknown)
    assert tool.type == "x_search"
    assert msgspec.json.decode(encode(tool)) == tool.to_dict() == msgspec.json.decode(json)
    assert msgspec.json.decode(tool.to_json()) == tool


def test_a_value_without_a_type_is_kept_too() -> None:
    tool = strict(Tool, b'{"name":"add"}')

    assert isinstance(tool, Unknown)
    assert tool.type == ""


def test_an_alias_reads_as_the_struct_and_is_written_with_its_tag() -> None:
    part = strict(ContentPart, b'{"type":"text","text":"hi"}')

    assert part == InputText(text="hi")
    assert encode(part) == b'{"type":"input_text","text":"hi"}'


def test_a_dated_type_survives() -> None:
    tool = strict(Tool, b'{"type":"web_search_2025_08_26"}')

    assert isinstance(tool, WebSearchTool)
    assert encode(tool) == b'{"type":"web_search_2025_08_26"}'


@pytest.mark.parametrize("json", [b'"auto"', b'{"type":"file_search"}', b'{"type":"new"}'])
def test_a_choice_is_a_word_or_an_object(json: bytes) -> None:
    assert encode(strict(ToolChoice, json)) == json


def test_leniency_keeps_a_known_type_that_does_not_fit() -> None:
    json = b'{"type":"function","name":7}'

    assert lenient(Tool, json) == Unknown(type="function", name=7)
    with pytest.raises(msgspec.ValidationError):
        strict(Tool, json)


def test_leniency_accepts_a_word_that_is_new() -> None:
    assert lenient(ToolChoice, b'"sometimes"') == "sometimes"


@pytest.mark.parametrize("json", [b"7", b"null", b"[]", b'"auto"'])
def test_what_is_no_object_is_refused_even_with_leniency(json: bytes) -> None:
    with pytest.raises(msgspec.ValidationError, match="Expected `object`"):
        lenient(Tool, json)


def test_the_hook_leaves_other_types_to_msgspec() -> None:
    with pytest.raises(NotImplementedError):
        decode_hook(complex, {})


@pytest.mark.parametrize(
    ("body", "message", "path"),
    [
        pytest.param(b'{"model":1}', "expected `str | null`, got `int`", "model", id="flat"),
        pytest.param(b"[]", "expected `object`, got `array`", None, id="body"),
        pytest.param(
            b'{"input":[{"role":"user","content":"hi"},{"type":"function_call","name":1}]}',
            "expected `str`, got `int`",
            "input[1].name",
            id="item",
        ),
        pytest.param(
            b'{"input":[{"role":"user","content":[{"type":"input_text","text":null}]}]}',
            "expected `str`, got `null`",
            "input[0].content[0].text",
            id="part of an item",
        ),
        pytest.param(
            b'{"input":[{"role":"user"}]}',
            "object missing required field `content`",
            "input[0].content",
            id="missing field",
        ),
        pytest.param(
            b'{"input":[{"type":4}]}', "expected `str`, got `int`", "input[0].type", id="type"
        ),
        pytest.param(
            b'{"tools":[{"type":"namespace","name":"n","tools":[{"type":"custom","name":[]}]}]}',
            "expected `str`, got `array`",
            "tools[0].tools[0].name",
            id="tool in a namespace",
        ),
        pytest.param(
            b'{"tools":["x"]}', "expected `object`, got `str`", "tools[0]", id="no object"
        ),
        pytest.param(
            b'{"tool_choice":"maybe"}',
            "expected `auto` | `none` | `required` | `object`, got 'maybe'",
            "tool_choice",
            id="word",
        ),
        pytest.param(
            b'{"metadata":{"a":1}}', "expected `str`, got `int`", "metadata", id="map value"
        ),
        pytest.param(
            b'{"temperature":3}', "expected `float` <= 2.0", "temperature", id="too large"
        ),
    ],
)
def test_a_problem_has_a_message_and_a_path(body: bytes, message: str, path: str | None) -> None:
    assert problem_of(body) == (message, path)


def test_a_key_that_is_too_long_is_found() -> None:
    message, path = problem_of(b'{"metadata":{"' + b"k" * 65 + b'":"v"}}')

    assert message.startswith("expected `str` of length <= 64")
    assert path == "metadata"


def test_an_unknown_value_in_a_request_is_written_as_it_came() -> None:
    body = b'{"model":"m","input":[{"type":"agent_message","content":[1,2]}]}'

    request = decode_request(body)

    assert isinstance(request, Request)
    assert encode(request) == body
