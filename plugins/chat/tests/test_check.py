"""What of a request is honoured, dropped or rejected."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import fields

from gateway.core.pruning import prune
from gateway.types.items import InputItem
from gateway.types.request import Request, decode_request
from gateway.types.tools import Tool
from gateway_chat.support import SUPPORT

Judge = Callable[..., dict[str, str]]
Encode = Callable[..., dict[str, Any]]

F = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
IMAGE = {"type": "input_image", "image_url": "https://example.org/a.png"}


def test_the_table_names_every_parameter() -> None:
    assert SUPPORT.parameters.keys() == {field.name for field in fields(Request)}


@pytest.mark.parametrize(("table", "union"), [(SUPPORT.items, InputItem), (SUPPORT.tools, Tool)])
def test_the_table_names_every_item_and_tool(table: dict[str, Any], union: Any) -> None:
    known = {
        str(kind.__struct_config__.tag or name) for name, kind in union.members.variants.items()
    }
    assert table.keys() == known


@pytest.mark.parametrize(
    "request_",
    [
        {"instructions": "Be brief.", "temperature": 1, "top_p": 1, "max_output_tokens": 16},
        {"stream": True, "metadata": {"a": "b"}, "max_tool_calls": 3},
        {"truncation": "auto", "context_management": [{"type": "compaction"}]},
        {"input": [{"type": "compaction", "encrypted_content": "x"}]},
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
        ({"tools": [F, {"type": "web_search"}]}, "tools[1].type"),
        ({"tools": [{"type": "web_search_preview_2025_03_11"}]}, "tools[0].type"),
        ({"tools": [{"type": "mcp", "server_label": "s"}]}, "tools[0].type"),
        ({"tools": [{"type": "made_up"}]}, "tools[0].type"),
        ({"tools": [F], "tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"input": [{"type": "made_up"}]}, "input[0].type"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "made_up"}]}]},
            "input[0].content[0].type",
        ),
        ({"input": [{"role": "system", "content": [IMAGE]}]}, "input[0].content[0].type"),
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
OUTPUT = {"type": "function_call_output", "call_id": "a", "output": "x"}
CUSTOM = {"type": "custom", "name": "c"}
CUSTOM_CALLED = {"type": "custom_tool_call", "call_id": "b", "name": "c"}
SEARCH = {"type": "web_search"}
ANY_OF = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}
FORCED = {"tools": [F], "tool_choice": "required", "reasoning": {"effort": "low"}}


@pytest.mark.parametrize(
    ("request_", "quirks", "verdicts"),
    [
        ({"user": "u"}, {"passes": ["user"]}, {}),
        ({"tools": [F]}, {"tools": "none"}, {"tools[0].type": "reject"}),
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
            {"include[0]": "reject"},
        ),
        (
            {"text": {"format": SCHEMA}},
            {"response_format": "json_object"},
            {"text.format.type": "reject"},
        ),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": "json_object"}, {}),
        ({"text": {"verbosity": "low"}}, {"passes": ["verbosity"]}, {}),
        ({"reasoning": {"effort": "low"}}, {"effort": "none"}, {"reasoning.effort": "drop"}),
        (
            {"text": {"format": SCHEMA}},
            {"response_format": "json_object", "schema_in_system": True},
            {},
        ),
        ({"temperature": 1, "top_p": 1}, {"drops": ["temperature"]}, {"temperature": "drop"}),
        ({"tools": [F, CUSTOM]}, {"max_tools": 1}, {"tools[1].type": "reject"}),
        (
            {"tools": [{**F, "name": "a b"}]},
            {"tool_name_pattern": r"\w+"},
            {"tools[0].name": "reject"},
        ),
        (FORCED, {"forcing_stops_thinking": True}, {"reasoning.effort": "drop"}),
        ({**FORCED, "tool_choice": "auto"}, {"forcing_stops_thinking": True}, {}),
        ({**FORCED, "reasoning": {"effort": "none"}}, {"forcing_stops_thinking": True}, {}),
        ({"tools": [CUSTOM]}, {"custom_tools": "native"}, {}),
        ({"tools": [CUSTOM]}, {"tools": "none"}, {"tools[0].type": "reject"}),
        (
            {"input": [{"type": "additional_tools", "tools": []}]},
            {"tools": "none"},
            {"input[0].type": "reject"},
        ),
        ({"tools": [F], "tool_choice": ANY_OF}, {"tool_choice": []}, {}),
        ({"tool_choice": ANY_OF}, {"tools": "none"}, {"tool_choice": "reject"}),
        (
            {"input": [{"type": "mcp_list_tools", "server_label": "s"}]},
            {"tools": "none"},
            {"input[0].type": "reject"},
        ),
        ({"tools": [SEARCH]}, {"web_search": "openai"}, {}),
        ({"tools": [SEARCH]}, {"tools": "none", "web_search": "perplexity"}, {}),
        (
            {"tools": [{**SEARCH, "filters": {"allowed_domains": ["a"]}}]},
            {"web_search": "openai"},
            {"tools[0].filters": "reject"},
        ),
        (
            {"tools": [{**SEARCH, "filters": {"allowed_domains": ["a"]}}]},
            {"web_search": "perplexity"},
            {},
        ),
        (
            {"tools": [{**SEARCH, "filters": {"blocked_domains": ["a"]}}]},
            {"web_search": "perplexity"},
            {"tools[0].filters": "reject"},
        ),
        (
            {"tools": [{**SEARCH, "external_web_access": True, "search_context_size": "low"}]},
            {"web_search": "openrouter"},
            {"tools[0].external_web_access": "drop"},
        ),
        (
            {"tools": [SEARCH], "tool_choice": {"type": "web_search"}},
            {"web_search": "openrouter"},
            {"tool_choice.type": "reject"},
        ),
        ({"tools": [SEARCH], "tool_choice": {"type": "web_search"}}, {"web_search": "openai"}, {}),
        (
            {"input": [CALLED, OUTPUT]},
            {"tools": "none"},
            {"input[0].type": "reject", "input[1].type": "reject"},
        ),
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
            {"audio": "object"},
            True,
        ),
    ],
)
def test_content_is_judged_where_it_stands(
    judge: Judge, part: dict[str, Any], quirks: dict[str, Any], accepted: bool
) -> None:
    text = {"type": "input_text", "text": "see"}
    said = judge({"input": [{"role": "user", "content": [text, part]}]}, **quirks)
    assert said == ({} if accepted else {"input[0].content[1].type": "reject"})
    output = {"type": "function_call_output", "call_id": "a", "output": [part]}
    said = judge({"input": [CALLED, output]}, **quirks)
    assert said == ({} if accepted else {"input[1].output[0].type": "reject"})


FINDER = {"type": "tool_search", "execution": "client"}
DEFERRED = {**F, "defer_loading": True}
SPACE = {"type": "namespace", "name": "n", "description": "", "tools": [F]}


@pytest.mark.parametrize(
    ("request_", "left_to_the_gateway"),
    [
        ({"tools": [F, CUSTOM]}, {"tools[1].type"}),
        ({"tools": [FINDER, DEFERRED]}, {"tools[0].type"}),
        ({"tools": [{"type": "shell"}]}, {"tools[0].type"}),
        ({"tools": [SPACE]}, {"tools[0].type"}),
        (
            {"tools": [CUSTOM], "tool_choice": {"type": "custom", "name": "c"}},
            {"tools[0].type", "tool_choice.type"},
        ),
        (
            {"input": [{"type": "additional_tools", "tools": [F, CUSTOM]}]},
            {"input[0].type", "input[0].tools[1].type"},
        ),
        ({"input": [{**CUSTOM_CALLED, "input": "x"}]}, {"input[0].type"}),
    ],
)
def test_the_gateway_makes_functions_of_other_tools(
    judge: Judge, request_: dict[str, Any], left_to_the_gateway: set[str]
) -> None:
    assert judge(request_) == dict.fromkeys(left_to_the_gateway, "emulate")


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"tools": [SPACE]}, "tools[0].tools[0].strict"),
        ({"input": [{"type": "additional_tools", "tools": [F]}]}, "input[0].tools[0].strict"),
    ],
)
def test_functions_are_judged_wherever_they_stand(
    judge: Judge, request_: dict[str, Any], path: str
) -> None:
    assert judge(request_, strict_tools=False)[path] == "drop"


@pytest.mark.parametrize(
    ("part", "member"),
    [
        ({**IMAGE, "detail": "original"}, "detail"),
        ({**DATA, "detail": "high"}, "detail"),
        ({**IMAGE, "prompt_cache_breakpoint": {"mode": "explicit"}}, "prompt_cache_breakpoint"),
    ],
)
def test_hints_in_content_are_dropped(judge: Judge, part: dict[str, Any], member: str) -> None:
    request = {"input": [{"role": "user", "content": [part]}]}
    assert judge(request, files=["data"]) == {f"input[0].content[0].{member}": "drop"}


def test_everything_that_is_dropped_can_be_taken_out(judge: Judge, encode: Encode) -> None:
    """The core takes it out by its path, so that path must lead somewhere."""
    request = {
        "input": [
            {"role": "user", "content": [IMAGE, {"type": "made_up"}, {**DATA, "detail": "low"}]}
        ],
        "tools": [{**F, "defer_loading": True, "async": True}, SEARCH, {"type": "made_up"}],
        "tool_choice": {"type": "web_search"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": SCHEMA, "verbosity": "low"},
        "include": ["message.output_text.logprobs", "made.up"],
        "top_logprobs": 2,
        "temperature": 1,
        "user": "u",
    }
    quirks: dict[str, Any] = {
        "images": "none",
        "files": ["data"],
        "strict_tools": False,
        "effort": "none",
        "response_format": "text",
        "logprobs": False,
        "drops": ["temperature"],
    }
    decoded = decode_request(msgspec.json.encode({"model": "m", **request}))
    pruned = msgspec.to_builtins(prune(decoded, judge(request, **quirks)))
    body = encode(pruned, **quirks)
    assert body.keys() == {"model", "messages", "stream", "stream_options", "tools"}
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f"]
    assert [part["type"] for part in body["messages"][0]["content"]] == ["file"]
