"""Requests read as leniently as clients need, and no further."""

import msgspec
import pytest

from gateway.types.computer_items import ComputerCall
from gateway.types.content import InputText, OutputText
from gateway.types.conversation import decode_conversation_create
from gateway.types.items import (
    AdditionalTools,
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    ItemReference,
    McpApprovalResponse,
    Message,
    Reasoning,
)
from gateway.types.open import Unknown
from gateway.types.parameters import ConversationReference, JsonSchemaFormat
from gateway.types.request import (
    RequestHead,
    decode_compact_request,
    decode_head,
    decode_input_tokens_request,
    decode_request,
)
from gateway.types.tools import McpTool, NamespaceTool
from gateway.types.wire import encode


def item(json: bytes) -> InputItem:
    items = decode_request(b'{"input":[' + json + b"]}").input
    assert isinstance(items, tuple)
    return items[0]


def test_an_item_with_a_role_and_no_type_is_a_message() -> None:
    assert item(b'{"role":"user","content":"hi"}') == Message(role="user", content="hi")


def test_an_item_with_a_null_type_is_read_like_one_without() -> None:
    assert item(b'{"type":null,"role":"user","content":"hi"}') == Message(role="user", content="hi")


def test_an_item_with_nothing_but_an_id_is_a_reference() -> None:
    assert item(b'{"id":"msg_1"}') == ItemReference(id="msg_1")
    assert item(b'{"id":"msg_1","type":null}') == ItemReference(id="msg_1")


def test_an_item_that_says_nothing_about_itself_is_kept() -> None:
    assert item(b'{"id":"x","foo":1}') == Unknown(id="x", foo=1)


def test_text_parts_of_chat_clients_are_read() -> None:
    message = item(b'{"role":"user","content":[{"type":"text","text":"hi"}]}')

    assert isinstance(message, Message)
    assert message.content == (InputText(text="hi"),)


def test_ids_and_statuses_may_be_absent_or_null() -> None:
    call = b'{"type":"function_call","call_id":"c","name":"f","arguments":"{}"'
    bare, null = item(call + b"}"), item(call + b',"id":null,"status":null}')

    assert isinstance(bare, FunctionCall)
    assert isinstance(null, FunctionCall)
    assert not bare.id
    assert not null.id
    assert encode(bare) == call + b"}"
    assert null.id is None


def test_unknown_fields_are_ignored() -> None:
    message = item(
        b'{"role":"user","content":"hi","internal_chat_message_metadata_passthrough":{}}'
    )

    assert message == Message(role="user", content="hi")


def test_an_assistant_may_be_replayed_as_a_plain_string_or_as_parts() -> None:
    parts = item(b'{"role":"assistant","content":[{"type":"output_text","text":"a"}]}')

    assert item(b'{"role":"assistant","content":"a"}') == Message(role="assistant", content="a")
    assert parts == Message(role="assistant", content=(OutputText(text="a"),))


def test_a_replayed_reasoning_item_keeps_its_opaque_state() -> None:
    reasoning = item(b'{"type":"reasoning","summary":[],"encrypted_content":"gAAA","content":null}')

    assert reasoning == Reasoning(encrypted_content="gAAA", content=None)


def test_a_computer_call_never_gains_the_field_of_the_other_generation() -> None:
    json = b'{"type":"computer_call","call_id":"c","actions":[{"type":"screenshot"}]}'

    call = item(json)

    assert isinstance(call, ComputerCall)
    assert b'"action"' not in encode(call)


def test_an_mcp_approval_is_read() -> None:
    approval = item(b'{"type":"mcp_approval_response","approve":true,"approval_request_id":"m"}')

    assert approval == McpApprovalResponse(approve=True, approval_request_id="m")


def test_tools_inside_an_item_are_read() -> None:
    tools = item(
        b'{"type":"additional_tools","role":"developer","tools":[{"type":"namespace","name":"n",'
        b'"description":"d","tools":[{"type":"function","name":"f"}]}]}'
    )

    assert isinstance(tools, AdditionalTools)
    assert isinstance(tools.tools[0], NamespaceTool)


def test_the_output_of_an_async_function_needs_no_call() -> None:
    output = item(b'{"type":"function_call_output","name":"f","output":"done"}')

    assert isinstance(output, FunctionCallOutput)
    assert not output.call_id


def test_null_parameters_read_like_absent_ones() -> None:
    names = [b'"%s":null' % name.encode() for name in RequestHead.__struct_fields__[:-2]]
    more = b'"include":null,"instructions":null,"metadata":null,"tools":null,"user":null'

    assert decode_request(b"{" + b",".join([*names, more]) + b"}") == decode_request(b"{}")


def test_parameters_that_nobody_documented_are_ignored() -> None:
    assert decode_request(b'{"client_metadata":{"a":1},"provider":{}}') == decode_request(b"{}")


def test_structured_output_is_read() -> None:
    text = decode_request(
        b'{"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}}}'
    ).text

    assert text
    assert text.format == JsonSchemaFormat(name="n", schema={"type": "object"})


def test_a_conversation_is_an_id_or_an_object() -> None:
    assert decode_request(b'{"conversation":"conv_1"}').conversation == "conv_1"
    named = decode_request(b'{"conversation":{"id":"conv_1"}}').conversation
    assert named == ConversationReference(id="conv_1")


@pytest.mark.parametrize(
    "body",
    [
        b'{"temperature":2.1}',
        b'{"top_p":-0.1}',
        b'{"top_logprobs":21}',
        b'{"max_output_tokens":0}',
        b'{"truncation":"some"}',
        b'{"safety_identifier":"' + b"x" * 129 + b'"}',
        b'{"metadata":{%s}}' % b",".join(b'"%d":""' % number for number in range(17)),
        b'{"stream":"true"}',
        b'{"input":7}',
        b'{"input":[{"role":"robot","content":"hi"}]}',
        b'{"tools":[{"type":"function"}]}',
    ],
)
def test_values_that_cannot_be_honoured_are_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_request(body)


def test_the_head_leaves_the_input_undecoded() -> None:
    head = decode_head(b'{"model":"m","input":[{"role":7}],"tools":[],"stream":true,"x":1}')

    assert head == RequestHead(
        model="m", stream=True, input=msgspec.Raw(b'[{"role":7}]'), tools=msgspec.Raw(b"[]")
    )
    assert bytes(decode_head(b"{}").input) == b""


@pytest.mark.parametrize("body", [b'{"model":7}', b'{"stream":1}', b'{"conversation":[]}', b"[]"])
def test_the_head_refuses_wrong_types(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_head(body)


def test_a_compaction_needs_a_model() -> None:
    assert decode_compact_request(b'{"model":"m","input":"hi"}').input == "hi"
    with pytest.raises(msgspec.ValidationError, match="model"):
        decode_compact_request(b"{}")


def test_tokens_are_counted_for_items_and_tools() -> None:
    request = decode_input_tokens_request(b'{"model":"m","input":[{"role":"user","content":"a"}]}')

    assert request.input == (Message(role="user", content="a"),)


def test_a_conversation_begins_with_at_most_twenty_items() -> None:
    message = b'{"role":"user","content":"a"}'

    assert decode_conversation_create(b'{"items":[' + message + b"]}").items
    with pytest.raises(msgspec.ValidationError, match="length <= 20"):
        decode_conversation_create(b'{"items":[' + b",".join([message] * 21) + b"]}")


def test_an_mcp_tool_hides_its_secrets() -> None:
    tool = McpTool(server_label="s", authorization="token-1", headers={"x-key": "token-2"})

    assert "token" not in repr(tool)
    assert b"token" not in encode(tool.redacted())
    assert b'"headers":null' in encode(tool.redacted())
    assert b"token-1" in encode(tool)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.example/mcp", "https://x.example/mcp"),
        ("https://x.example/mcp?key=token#token", "https://x.example/mcp"),
        ("https://me:to@ken@x.example/a@b", "https://x.example/a@b"),
        ("HTTPS://token@x.example", "HTTPS://x.example"),
        ("token@x.example/mcp", "x.example/mcp"),
        ("https://x.example?token\n", "https://x.example"),
        ("", ""),
        (None, None),
    ],
)
def test_an_mcp_tool_hides_what_may_be_secret_in_its_url(url: str | None, shown: str) -> None:
    assert McpTool(server_label="s", server_url=url).redacted().server_url == shown
