"""Responses carry every key that clients require, and keep what an upstream sent."""

import json
from typing import Any

import msgspec
import pytest
from openai.types.responses import Response as SdkResponse

from gateway.types.content import OutputText, Refusal
from gateway.types.events import OutputTextDelta, decode_event
from gateway.types.items import McpCall, Message, Reasoning
from gateway.types.open import Unknown
from gateway.types.request import decode_request
from gateway.types.response import (
    Response,
    Usage,
    decode_compacted,
    decode_deleted,
    decode_input_items,
    decode_input_tokens,
    decode_response,
    start_response,
)
from gateway.types.wire import encode

NEVER_NULL = {
    "id",
    "object",
    "created_at",
    "status",
    "model",
    "output",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "store",
    "background",
    "service_tier",
    "metadata",
}
NULLABLE = {
    "completed_at",
    "incomplete_details",
    "previous_response_id",
    "instructions",
    "error",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "safety_identifier",
    "prompt_cache_key",
}


def started(request: bytes) -> dict[str, Any]:
    response = start_response(
        decode_request(request), id="resp_1", model="acme/large", created_at=1_700_000_000
    )
    return response.to_dict()


@pytest.mark.parametrize(
    "request_body",
    [
        b"{}",
        b'{"temperature":null,"truncation":null,"text":{"format":null},"metadata":null}',
    ],
)
def test_a_started_response_has_every_required_key(request_body: bytes) -> None:
    response = started(request_body)

    assert response.keys() == NEVER_NULL | NULLABLE
    assert [name for name in NEVER_NULL if response[name] is None] == []
    assert response["status"] == "in_progress"
    assert response["text"] == {"format": {"type": "text"}}


def test_a_started_response_satisfies_the_sdk() -> None:
    response = started(
        b'{"tools":[{"type":"function","name":"f"}],"reasoning":{"effort":"low"},"top_p":0.5}'
    )

    SdkResponse.model_validate(response, strict=True)


ECHOED = {
    "background": True,
    "instructions": "be brief",
    "max_output_tokens": 100,
    "max_tool_calls": 3,
    "metadata": {"a": "b"},
    "parallel_tool_calls": False,
    "previous_response_id": "resp_0",
    "prompt": {"id": "pmpt_1"},
    "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "implicit"},
    "prompt_cache_retention": "24h",
    "safety_identifier": "u1",
    "service_tier": "flex",
    "store": True,
    "temperature": 0.0,
    "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    "tool_choice": {"type": "function", "name": "f"},
    "top_logprobs": 5,
    "top_p": 0.0,
    "truncation": "auto",
    "user": "u",
    "access_programs": {"cyber": "standard"},
}


@pytest.mark.parametrize("name", sorted(ECHOED))
def test_a_parameter_is_echoed(name: str) -> None:
    assert started(json.dumps({name: ECHOED[name]}).encode())[name] == ECHOED[name]


def test_a_reasoning_setting_is_echoed_with_both_keys() -> None:
    assert started(b'{"reasoning":{"effort":"low"}}')["reasoning"] == {
        "effort": "low",
        "summary": None,
    }


def test_a_function_tool_is_echoed_with_all_four_keys() -> None:
    (tool,) = started(b'{"tools":[{"type":"function","name":"f"}]}')["tools"]

    assert tool == {
        "type": "function",
        "name": "f",
        "description": None,
        "parameters": None,
        "strict": None,
    }


def test_a_conversation_is_echoed_as_an_object() -> None:
    assert started(b'{"conversation":"conv_1"}')["conversation"] == {"id": "conv_1"}


def test_secrets_of_mcp_tools_are_not_echoed() -> None:
    tools = started(
        b'{"tools":[{"type":"mcp","server_label":"s","authorization":"token","headers":{"k":"token"}}]}'
    )["tools"]

    assert "token" not in json.dumps(tools)
    assert '"headers": null' in json.dumps(tools)


def test_usage_always_says_all_its_details() -> None:
    assert json.loads(encode(Usage(input_tokens=3, output_tokens=4, total_tokens=7))) == {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 7,
    }


def test_an_item_writes_the_nulls_that_openai_writes_and_leaves_out_the_rest() -> None:
    call = McpCall(id="mcp_1", name="ask", arguments="{}", server_label="wiki")

    assert json.loads(encode(call)) == {
        "type": "mcp_call",
        "id": "mcp_1",
        "name": "ask",
        "arguments": "{}",
        "server_label": "wiki",
        "approval_request_id": None,
        "output": None,
        "error": None,
    }


def test_output_text_joins_the_text_of_all_messages() -> None:
    response = Response(
        id="r",
        model="m",
        created_at=0,
        output=(
            Reasoning(),
            Message(role="assistant", content=(OutputText(text="a"), Refusal(refusal="no"))),
            Message(role="assistant", content=(OutputText(text="b"),)),
            Unknown(type="new"),
        ),
    )

    assert response.output_text == "ab"


def test_a_decoded_response_gives_back_what_was_sent() -> None:
    sent = b'{"id":"r","created_at":1.5,"model":"m","x":{"y":null},"temperature":1}'

    response = decode_response(sent)

    assert response.to_json() == sent.decode()
    assert response.to_dict() == json.loads(sent)


def test_a_changed_copy_does_not_pretend_to_be_what_was_sent() -> None:
    response = decode_response(b'{"id":"r","created_at":1,"model":"m","x":1}')

    copy = msgspec.structs.replace(response, id="resp_2")

    assert copy.to_dict()["id"] == "resp_2"


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("status", b'"pondering"'),
        ("service_tier", b'"turbo"'),
        ("truncation", b'"middle"'),
        ("tool_choice", b'"sometimes"'),
        ("reasoning", b'"none"'),
        ("reasoning", b'{"effort":"cosmic"}'),
        ("tools", b"null"),
        ("usage", b'{"input_tokens":3,"input_tokens_details":null}'),
        ("usage", b'{"input_tokens":"3"}'),
        ("error", b'{"code":"odd_code","message":null}'),
        ("error", b'"boom"'),
        ("metadata", b'{"n":1}'),
        ("conversation", b"{}"),
        ("output", b'[{"type":"message","role":"oracle","content":5}]'),
        ("text", b'{"format":{"type":"xml"}}'),
    ],
)
def test_an_upstreams_oddities_do_not_fail_the_response(name: str, odd: bytes) -> None:
    sent = b'{"id":"r","created_at":1,"model":"m","status":"completed","%s":%s}'

    response = decode_response(sent % (name.encode(), odd))

    assert response.id == "r"
    assert response.to_dict()[name] == json.loads(odd)


def test_what_fits_is_read_beside_what_does_not() -> None:
    response = decode_response(
        b'{"id":"r","created_at":1,"model":"m","reasoning":7,"usage":'
        b'{"input_tokens":3,"output_tokens":"4","total_tokens":null}}'
    )

    assert response.reasoning is None
    assert response.usage == Usage(input_tokens=3)


def test_a_list_with_an_odd_element_is_left_out_as_a_whole() -> None:
    odd = b",".join([b'{"token":"t","logprob":"high"}', b'{"token":"t","logprob":-1}'])
    event = decode_event(
        b'{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,'
        b'"delta":"t","logprobs":[' + odd + b"]}"
    )

    assert isinstance(event, OutputTextDelta)
    assert event.logprobs == ()


@pytest.mark.parametrize("body", [b'{"created_at":1,"model":"m"}', b"[]", b'"r"', b"7"])
def test_an_answer_that_is_no_response_is_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_response(body)


def test_an_answer_that_is_no_json_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_response(b"<html>")


def test_the_other_answers_are_read() -> None:
    page = (
        b'{"object":"list","data":[{"id":"m","type":"message","role":"user","content":[]}],'
        b'"has_more":true,"first_id":"m","last_id":"m"}'
    )

    assert decode_input_items(page).data == (Message(id="m", role="user", content=()),)
    assert decode_deleted(b'{"id":"r","object":"response","deleted":true}').deleted
    assert decode_input_tokens(b'{"input_tokens":12}').input_tokens == 12
    assert decode_compacted(
        b'{"id":"r","created_at":1,"output":[{"type":"compaction","encrypted_content":"g"}]}'
    ).output[0]
