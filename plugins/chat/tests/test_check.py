"""What of a request is honoured, dropped or rejected."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import fields

from gateway.types.items import InputItem
from gateway.types.request import Request
from gateway.types.tools import Tool
from gateway_chat.support import ITEMS, PARAMETERS, TOOLS

Judge = Callable[..., dict[str, str]]

F = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
IMAGE = {"type": "input_image", "image_url": "https://example.org/a.png"}


def test_the_table_names_every_parameter() -> None:
    assert PARAMETERS.keys() == {field.name for field in fields(Request)}


@pytest.mark.parametrize(("table", "union"), [(ITEMS, InputItem), (TOOLS, Tool)])
def test_the_table_names_every_item_and_tool(table: dict[str, Any], union: Any) -> None:
    known = {
        str(kind.__struct_config__.tag or name) for name, kind in union.members.variants.items()
    }
    dated = {name for name in known if "_2025_" in name}
    assert table.keys() == known - dated


@pytest.mark.parametrize(
    "request_",
    [
        {"instructions": "Be brief.", "temperature": 1, "top_p": 1, "max_output_tokens": 16},
        {"stream": True, "metadata": {"a": "b"}, "max_tool_calls": 3, "truncation": "disabled"},
        {"tools": [F], "tool_choice": "auto", "parallel_tool_calls": False},
        {"tools": [F], "tool_choice": "required"},
        {"tools": [F], "tool_choice": {"type": "function", "name": "f"}},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}}}},
        {"text": {"format": {"type": "text"}}, "reasoning": {"effort": "low"}},
        {"include": ["reasoning.encrypted_content", "message.output_text.logprobs"]},
        {"store": True, "background": True, "previous_response_id": "resp_1", "conversation": "c"},
        {"service_tier": "auto"},
        {"input": [{"role": "user", "content": [IMAGE]}]},
    ],
)
def test_what_chat_completions_knows_is_honoured(judge: Judge, request_: dict[str, Any]) -> None:
    assert judge(request_) == {}


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"truncation": "auto"}, "truncation"),
        ({"prompt_cache_key": "k"}, "prompt_cache_key"),
        ({"safety_identifier": "s"}, "safety_identifier"),
        ({"user": "u"}, "user"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options"),
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
        ({"reasoning": {"summary": "auto"}}, "reasoning.summary"),
        ({"include": ["file_search_call.results"]}, "include[0]"),
        ({"tools": [{**F, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [{**F, "async": True}]}, "tools[0].async"),
    ],
)
def test_hints_are_dropped(judge: Judge, request_: dict[str, Any], param: str) -> None:
    assert judge(request_) == {param: "drop"}


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"moderation": {"model": "m"}}, "moderation"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"tools": [F, {"type": "web_search"}]}, "tools[1].type"),
        ({"tools": [{"type": "web_search_preview_2025_03_11"}]}, "tools[0].type"),
        ({"tools": [{"type": "mcp", "server_label": "s"}]}, "tools[0].type"),
        ({"tools": [{"type": "custom", "name": "c"}]}, "tools[0].type"),
        ({"tools": [{"type": "made_up"}]}, "tools[0].type"),
        ({"tools": [F], "tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"tools": [F], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"input": [{"type": "made_up"}]}, "input[0].type"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "made_up"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "system", "content": [IMAGE]}]}, "input[0].content"),
        ({"text": {"format": {"type": "made_up"}}}, "text.format.type"),
    ],
)
def test_what_would_change_the_answer_is_rejected(
    judge: Judge, request_: dict[str, Any], param: str
) -> None:
    assert judge(request_) == {param: "reject"}


FILE = {"type": "input_file", "file_id": "file_1"}
DATA = {"type": "input_file", "file_data": "data:text/plain;base64,AA"}
CALLED = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
SCHEMA = {"type": "json_schema", "name": "n", "schema": {}}


@pytest.mark.parametrize(
    ("request_", "quirks", "verdicts"),
    [
        ({"user": "u"}, {"passes": ["user"]}, {}),
        ({"tools": [F]}, {"tools": "none"}, {"tools[0]": "reject"}),
        ({"tools": [F]}, {"strict_tools": False}, {"tools[0].strict": "drop"}),
        (
            {"tools": [F], "parallel_tool_calls": False},
            {"parallel_tool_calls": False},
            {"parallel_tool_calls": "drop"},
        ),
        ({"tools": [F], "tool_choice": "required"}, {"tool_choice": []}, {"tool_choice": "reject"}),
        ({"tools": [F], "tool_choice": "required"}, {"tool_choice": ["any"]}, {}),
        (
            {"tools": [F], "tool_choice": {"type": "function", "name": "f"}},
            {"tool_choice": ["any"]},
            {},
        ),
        (
            {"tools": [F], "tool_choice": "required"},
            {"tool_choice": [], "tools": "constrained"},
            {},
        ),
        ({"top_logprobs": 2}, {"logprobs": False}, {"top_logprobs": "reject"}),
        (
            {"include": ["message.output_text.logprobs"]},
            {"logprobs": False},
            {"include": "reject"},
        ),
        (
            {"text": {"format": SCHEMA}},
            {"response_format": "json_object"},
            {"text.format.type": "reject"},
        ),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": "json_object"}, {}),
        ({"text": {"verbosity": "low"}}, {"passes": ["verbosity"]}, {}),
        ({"reasoning": {"effort": "low"}}, {"effort": "none"}, {"reasoning.effort": "drop"}),
    ],
)
def test_quirks_decide(
    judge: Judge, request_: dict[str, Any], quirks: dict[str, Any], verdicts: dict[str, str]
) -> None:
    assert judge(request_, **quirks) == verdicts


@pytest.mark.parametrize(
    ("part", "quirks", "accepted"),
    [
        (IMAGE, {}, True),
        (IMAGE, {"images": "data"}, False),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AA"},
            {"images": "data"},
            True,
        ),
        (IMAGE, {"images": "none"}, False),
        ({"type": "input_image", "file_id": "file_1"}, {}, False),
        (DATA, {}, False),
        (DATA, {"files": ["data"]}, True),
        (FILE, {"files": ["data"]}, False),
        (FILE, {"files": ["data", "id"]}, True),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, {}, False),
        (
            {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
            {"audio": True},
            True,
        ),
    ],
)
def test_content_is_judged_where_it_stands(
    judge: Judge, part: dict[str, Any], quirks: dict[str, Any], accepted: bool
) -> None:
    text = {"type": "input_text", "text": "see"}
    said = judge({"input": [{"role": "user", "content": [text, part]}]}, **quirks)
    assert said == ({} if accepted else {"input[0].content[1]": "reject"})
    output = {"type": "function_call_output", "call_id": "a", "output": [part]}
    said = judge({"input": [CALLED, output]}, **quirks)
    assert said == ({} if accepted else {"input[1].output[0]": "reject"})
