"""Requests to the Interactions API: what is asked, and how a conversation goes back."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequestError
from gateway.testing.preparing import Prepared
from gateway_gemini import InteractionsDialect
from tests.vendors.gemini import check_interaction

DIALECT = InteractionsDialect()
UNCHECKED = {"type": "thought", "signature": "skip_thought_signature_validator"}
PIXELS = "data:image/png;base64,AAAA"
AT_GOOGLE = {
    "type": "input_image",
    "image_url": "https://generativelanguage.googleapis.com/v1beta/files/a",
}
FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
SCREEN = {
    "type": "computer_use_preview",
    "environment": "linux",
    "display_width": 1000,
    "display_height": 1000,
}
Encode = Callable[..., dict[str, Any]]


@pytest.fixture
def encode(prepare: Callable[..., Prepared]) -> Encode:
    """Write a request that must be accepted, and return the body, which Google's types know."""

    def run(request: dict[str, Any], **options: Any) -> dict[str, Any]:
        prepared = prepare(request, dialect=DIALECT, **options)
        assert prepared.rejected == []
        body = msgspec.json.decode(prepared.encode().body)
        check_interaction(body)
        return body

    return run


def call(name: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": name, "name": "look", "arguments": '{"at": [1]}'}


def output(name: str, what: Any = "seen") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": name, "output": what}


def carried(*steps: dict[str, Any]) -> dict[str, Any]:
    carrier = json.dumps({"parts": steps})
    return {"type": "reasoning", "summary": [], "encrypted_content": carrier}


def called(name: str) -> dict[str, Any]:
    return {"type": "function_call", "id": name, "name": "look", "arguments": {"at": [1]}}


def given(name: str, result: Any = "seen") -> dict[str, Any]:
    return {"type": "function_result", "call_id": name, "name": "look", "result": result}


def said(text: str, by: str = "user_input") -> dict[str, Any]:
    return {"type": by, "content": [{"type": "text", "text": text}]}


def test_nothing_is_kept_at_google_and_the_revision_is_pinned(
    prepare: Callable[..., Prepared],
) -> None:
    request = prepare({"input": "Hello"}, dialect=DIALECT, model="models/gemini-x").encode()
    assert request.url.endswith("/api/interactions")
    assert request.headers["api-revision"] == "2026-05-20"
    assert msgspec.json.decode(request.body) == {
        "model": "gemini-x",
        "stream": True,
        "store": False,
        "input": [said("Hello")],
    }


def test_a_conversation_goes_back_step_by_step(encode: Encode) -> None:
    thought = {"type": "thought", "summary": [{"type": "text", "text": "Hm."}], "signature": "YQ=="}
    search = {"type": "google_search_call", "id": "s", "arguments": {"queries": ["a"]}}
    found = {"type": "google_search_result", "call_id": "s", "result": [], "signature": "Yg=="}
    body = encode(
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": "Look around."},
                carried(search, found),
                {"type": "web_search_call", "id": "ws_1", "status": "completed"},
                carried(thought),
                {"role": "assistant", "content": "Gladly."},
                call("a"),
                call("b"),
                output("b"),
                output("a", '{"seen": 1}'),
                {"role": "user", "content": "And now?"},
            ],
        }
    )
    assert body["system_instruction"] == "Be brief."
    assert body["input"] == [
        said("Look around."),
        search,
        found,
        thought,
        said("Gladly.", "model_output"),
        called("a"),
        called("b"),
        given("a", '{"seen":1}'),
        given("b"),
        said("And now?"),
    ]


def test_calls_whose_thoughts_got_lost_follow_one_that_google_does_not_check(
    encode: Encode,
) -> None:
    asked = {
        "input": [
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": "Gladly."},
            call("a"),
            output("a"),
            carried({"type": "thought", "signature": "YQ=="}),
            call("b"),
            output("b"),
        ]
    }
    expected = [
        said("?"),
        UNCHECKED,
        said("Gladly.", "model_output"),
        called("a"),
        given("a"),
        {"type": "thought", "signature": "YQ=="},
        called("b"),
        given("b"),
    ]
    assert encode(asked)["input"] == expected
    expected.remove(UNCHECKED)
    assert encode(asked, model="gemini-2.5-flash")["input"] == expected


def test_a_carrier_of_the_other_api_says_nothing_here(encode: Encode) -> None:
    lost = carried({"executableCode": {"code": "1"}}, {"text": "", "thoughtSignature": "YQ=="})
    body = encode({"input": [{"role": "user", "content": "?"}, lost]})
    assert body["input"] == [said("?")]


def test_files_are_told_by_what_they_are(encode: Encode) -> None:
    content = [
        {"type": "input_image", "image_url": PIXELS},
        {"type": "input_image", "image_url": "https://a.test/b.webp"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]
    body = encode({"input": [{"role": "user", "content": content}]})
    assert body["input"][0]["content"] == [
        {"type": "image", "data": "AAAA", "mime_type": "image/png"},
        {"type": "image", "uri": "https://a.test/b.webp", "mime_type": "image/webp"},
        {"type": "document", "data": "AAAA", "mime_type": "application/pdf"},
        {"type": "audio", "data": "AAAA", "mime_type": "audio/wav"},
    ]


def test_results_with_files_are_contents(encode: Encode) -> None:
    files = [{"type": "input_image", "image_url": PIXELS}]
    image = {"type": "image", "data": "AAAA", "mime_type": "image/png"}
    asked = [{"role": "user", "content": "?"}, call("a")]
    text = {"type": "input_text", "text": "Here:"}
    body = encode({"input": [*asked, output("a", [text, *files])]})
    assert body["input"][-1] == given("a", [{"type": "text", "text": "Here:"}, image])
    body = encode({"input": [*asked, output("a", files)]})
    assert body["input"][-1] == given("a", [image])


def test_tools_have_names_of_their_own(encode: Encode) -> None:
    body = encode(
        {
            "tools": [
                FUNCTION,
                {"type": "web_search"},
                {"type": "code_interpreter", "container": {"type": "auto"}},
                SCREEN,
            ]
        },
        tools=[{"urlContext": {}}, {"type": "google_maps"}],
    )
    functions = ["mouse_down", "mouse_up", "key_down", "key_up"]
    assert body["tools"] == [
        {"type": "google_search"},
        {"type": "code_execution"},
        {
            "type": "computer_use",
            "environment": "desktop",
            "excluded_predefined_functions": functions,
        },
        {"type": "url_context"},
        {"type": "google_maps"},
        {**FUNCTION, "description": ""},
    ]


@pytest.mark.parametrize(
    ("name", "takes"), [("look.up", True), ("x" * 128, True), ("look up", False), ("3d", False)]
)
def test_a_name_that_google_would_not_take_is_another_one_everywhere(
    name: str, takes: bool, encode: Encode
) -> None:
    tool = {**FUNCTION, "name": name}
    items = [{"role": "user", "content": "?"}, {**call("a"), "name": name}, output("a")]
    body = encode({"tools": [tool], "tool_choice": tool, "input": items})
    (chosen,) = body["generation_config"]["tool_choice"]["allowed_tools"]["tools"]
    known = [step["name"] for step in body["input"] if "name" in step]
    assert {*known, body["tools"][0]["name"]} == {chosen}
    assert (chosen == name) is takes


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", None),
        ("none", "none"),
        ("required", "any"),
        (
            {"type": "function", "name": "look"},
            {"allowed_tools": {"mode": "any", "tools": ["look"]}},
        ),
    ],
)
def test_the_choice_among_tools_is_part_of_the_generation(
    choice: Any, expected: Any, encode: Encode
) -> None:
    body = encode({"tools": [FUNCTION], "tool_choice": choice})
    assert body.get("generation_config", {}).get("tool_choice") == expected


def test_strict_functions_are_validated(encode: Encode) -> None:
    body = encode({"tools": [{**FUNCTION, "strict": True}]})
    assert body["generation_config"] == {"tool_choice": "validated"}


@pytest.mark.parametrize(
    ("model", "effort", "level"),
    [
        ("gemini-3.5-flash", "none", "minimal"),
        ("gemini-3-pro-preview", "medium", "high"),
        ("gemini-4-pro", "max", "high"),
        ("gemini-2.5-flash", "none", "minimal"),
        ("gemini-2.5-pro", "medium", "medium"),
        ("gemini-2.5-pro", "xhigh", "high"),
    ],
)
def test_every_model_thinks_by_level(model: str, effort: str, level: str, encode: Encode) -> None:
    body = encode({"reasoning": {"effort": effort, "summary": "auto"}}, model=model)
    assert body["generation_config"] == {"thinking_level": level, "thinking_summaries": "auto"}


def test_what_else_is_asked_of_the_answer(encode: Encode) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = encode(
        {
            "max_output_tokens": 9,
            "temperature": 0.5,
            "top_p": 0.9,
            "service_tier": "flex",
            "text": {"format": {"type": "json_schema", "name": "answer", "schema": schema}},
        },
        safety_settings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}],
        extra_body={"generation_config": {"seed": 7}, "labels": {"team": "search"}},
    )
    sampling = {"max_output_tokens": 9, "temperature": 0.5, "top_p": 0.9}
    assert body["generation_config"] == {**sampling, "seed": 7}
    assert body["response_format"] == {
        "type": "text",
        "mime_type": "application/json",
        "schema": {"title": "answer", **schema},
    }
    assert body["service_tier"] == "flex"
    assert body["safety_settings"] == [{"type": "harassment", "threshold": "block_only_high"}]
    assert body["labels"] == {"team": "search"}


def test_an_object_without_a_schema_has_only_its_type(encode: Encode) -> None:
    body = encode({"text": {"format": {"type": "json_object"}}})
    assert body["response_format"] == {"type": "text", "mime_type": "application/json"}


@pytest.mark.parametrize(
    "request_",
    [
        {"parallel_tool_calls": False, "tools": [FUNCTION]},
        {"top_logprobs": 3},
        {"include": ["message.output_text.logprobs"]},
        {"input": [{"role": "user", "content": [AT_GOOGLE]}]},
    ],
)
def test_what_only_the_other_api_can_do_is_rejected(
    request_: dict[str, Any], prepare: Callable[..., Prepared]
) -> None:
    assert prepare(request_, dialect=DIALECT).rejected
    assert not prepare(request_).rejected


def test_screenshots_answer_what_was_done_on_the_screen(encode: Encode) -> None:
    check = {"id": "sc_a", "code": "require_confirmation", "message": "Sure?"}
    click = {"type": "click", "button": "left", "x": 500, "y": 250}
    items = [
        {"role": "user", "content": "Go."},
        carried({"type": "thought", "signature": "YQ=="}),
        {
            "type": "computer_call",
            "call_id": "a",
            "action": click,
            "pending_safety_checks": [check],
            "status": "completed",
        },
        {
            "type": "computer_call_output",
            "call_id": "a",
            "output": {"type": "computer_screenshot", "image_url": PIXELS},
            "acknowledged_safety_checks": [check],
        },
    ]
    body = encode({"input": items, "tools": [SCREEN]})
    decision = {"decision": "require_confirmation", "explanation": "Sure?"}
    assert body["input"][2:] == [
        {
            "type": "function_call",
            "id": "a",
            "name": "click",
            "arguments": {"x": 500, "y": 250, "safety_decision": decision},
        },
        {
            "type": "function_result",
            "call_id": "a",
            "name": "click",
            "result": [
                {"type": "text", "text": '{"url":"","safety_acknowledgement":true}'},
                {"type": "image", "data": "AAAA", "mime_type": "image/png"},
            ],
        },
    ]


def test_a_call_without_an_output_is_the_clients_fault(
    prepare: Callable[..., Prepared],
) -> None:
    asked = prepare({"input": [{"role": "user", "content": "?"}, call("a")]}, dialect=DIALECT)
    with pytest.raises(InvalidRequestError, match="No tool output found for function call a"):
        asked.encode()
