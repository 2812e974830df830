"""Events are typed where they can be, and keep the bytes that they were read from."""

import json
from typing import get_args

import msgspec
import pytest

from gateway.types.content import OutputText
from gateway.types.events import (
    ContentPartAdded,
    Error,
    ErrorDetail,
    Keepalive,
    KnownEvent,
    Lifecycle,
    OutputItemAdded,
    OutputTextDelta,
    ResponseCompleted,
    Terminal,
    decode_event,
)
from gateway.types.items import FunctionCall
from gateway.types.open import Unknown
from gateway.types.wire import encode


def test_an_event_is_written_with_its_type_first() -> None:
    event = OutputTextDelta(item_id="m", output_index=0, content_index=0, delta="hi")

    assert event.type == "response.output_text.delta"
    assert encode(event) == (
        b'{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,'
        b'"delta":"hi","logprobs":[],"sequence_number":0}'
    )


def test_an_event_can_be_numbered_on_its_way_out() -> None:
    event = Keepalive()

    event.sequence_number = 7

    assert encode(event) == b'{"type":"keepalive","sequence_number":7}'


def test_every_event_has_a_sequence_number_that_starts_at_zero() -> None:
    for event in get_args(KnownEvent):
        assert event.__struct_fields__[-1] == "sequence_number"
        assert event.__struct_defaults__[-1] == 0


def test_an_event_is_typed_with_its_item_and_part() -> None:
    added = decode_event(
        b'{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call",'
        b'"call_id":"c","name":"f","arguments":""}}'
    )
    part = decode_event(
        b'{"type":"response.content_part.added","item_id":"m","output_index":0,"content_index":0,'
        b'"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}'
    )

    assert isinstance(added, OutputItemAdded)
    assert added.item == FunctionCall(call_id="c", name="f", arguments="")
    assert isinstance(part, ContentPartAdded)
    assert part.part == OutputText(text="")


def test_an_event_gives_back_what_was_sent() -> None:
    sent = b'{"type":"keepalive","sequence_number":3,"obfuscation":"xyz"}'

    assert decode_event(sent).to_json() == sent.decode()


def test_the_response_of_an_event_gives_back_what_was_sent() -> None:
    event = decode_event(
        b'{"type":"response.completed","response":{"id":"r","created_at":1,"model":"m","x":1}}'
    )

    assert isinstance(event, ResponseCompleted)
    assert isinstance(event, Terminal)
    assert isinstance(event, Lifecycle)
    assert event.response.to_dict() == {"id": "r", "created_at": 1, "model": "m", "x": 1}


def test_an_odd_response_does_not_hide_the_end_of_a_stream() -> None:
    event = decode_event(
        b'{"type":"response.completed","response":{"id":"r","created_at":1,"model":"m",'
        b'"reasoning":"deep","usage":{"input_tokens":null,"output_tokens":5}}}'
    )

    assert isinstance(event, ResponseCompleted)
    assert event.response.usage
    assert event.response.usage.output_tokens == 5


@pytest.mark.parametrize(
    "sent",
    [
        b'{"type":"response.reasoning_part.added","part":{"type":"x"}}',
        b'{"type":"response.output_text.delta","delta":5}',
        b'{"type":"response.completed","response":null}',
        b'{"type":null}',
        b"{}",
    ],
)
def test_an_event_that_is_new_or_does_not_fit_is_kept_verbatim(sent: bytes) -> None:
    event = decode_event(sent)

    assert isinstance(event, Unknown)
    assert event.to_dict() == json.loads(sent)


@pytest.mark.parametrize("data", [b"[DONE]", b'{"type":', b"[]", b"7", b""])
def test_data_that_is_no_object_is_an_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_event(data)


def test_an_error_is_written_in_both_shapes() -> None:
    detail = ErrorDetail(type="server_error", code="boom", message="it broke")

    assert json.loads(encode(Error.of(detail))) == {
        "type": "error",
        "code": "boom",
        "message": "it broke",
        "param": None,
        "error": {"type": "server_error", "code": "boom", "message": "it broke", "param": None},
        "sequence_number": 0,
    }


@pytest.mark.parametrize(
    "sent",
    [
        b'{"type":"error","code":"boom","message":"it broke","param":null}',
        b'{"type":"error","error":{"type":"t","code":"boom","message":"it broke","param":null}}',
    ],
)
def test_an_error_reads_the_same_in_either_shape(sent: bytes) -> None:
    event = decode_event(sent)

    assert isinstance(event, Error)
    assert (event.code, event.message) == ("boom", "it broke")
