"""Requests are read as far as routing needs it; bad ones are refused with what is wrong where."""

import pytest

from gateway.core.exchange import Envelope
from gateway.core.intake import Intake, take_in
from gateway.errors import GatewayError, InvalidRequestError
from gateway.ids import Seal
from gateway.plugin import Operation

SEAL = Seal(b"secret")


def create(body: bytes, tenant: str = "t") -> Intake:
    return take_in(Envelope(operation="create", request_id="r", body=body), tenant, SEAL)


def refused(body: bytes) -> GatewayError:
    with pytest.raises(InvalidRequestError) as raised:
        create(body)
    return raised.value


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_json", None),
        (b"{", "invalid_json", None),
        (b'{"model": "m", "input": "a" "b"}', "invalid_json", None),
        (b'{"model": "m", "input": "\xff\xfe"}', "invalid_json", None),
        (b"[]", "invalid_type", None),
        (b'"text"', "invalid_type", None),
        (b'{"model": 7}', "invalid_type", "model"),
        (b'{"model": "m", "stream": "yes"}', "invalid_type", "stream"),
        (b'{"model": "m", "previous_response_id": 1}', "invalid_type", "previous_response_id"),
        (b'{"input": "hi"}', "missing_required_parameter", "model"),
        (b'{"model": null}', "missing_required_parameter", "model"),
        (b'{"model": "m", "input": ' + b"[" * 5000, "invalid_json", None),
    ],
)
def test_a_bad_body_is_refused_with_what_is_wrong(
    body: bytes, code: str, param: str | None
) -> None:
    error = refused(body)
    assert (error.status, error.type) == (400, "invalid_request_error")
    assert (error.code, error.param) == (code, param)
    assert error.message


def test_a_previous_response_and_a_conversation_exclude_each_other() -> None:
    error = refused(b'{"model": "m", "previous_response_id": "resp_1", "conversation": "conv_1"}')
    assert error.code == "mutually_exclusive_parameters"


def test_a_previous_response_that_was_not_sealed_for_the_tenant_may_be_kept_here() -> None:
    for identifier in ("resp_123", SEAL.seal("other", "account", "resp_up")):
        intake = create(b'{"model": "m", "previous_response_id": "%s"}' % identifier.encode())
        assert (intake.account, intake.previous_id) == (None, None)
        assert intake.kept_previous_id == identifier


def test_ones_own_previous_response_is_opened() -> None:
    own = SEAL.seal("t", "account", "resp_up")
    intake = create(b'{"model": "m", "previous_response_id": "%s"}' % own.encode())
    assert (intake.account, intake.previous_id) == ("account", "resp_up")


@pytest.mark.parametrize("operation", ["retrieve", "delete", "cancel", "input_items"])
def test_a_response_that_was_not_sealed_for_the_tenant_may_be_kept_here(
    operation: Operation,
) -> None:
    for response_id in ("resp_1", SEAL.seal("other", "account", "resp_up")):
        envelope = Envelope(operation=operation, request_id="r", response_id=response_id)
        intake = take_in(envelope, "t", SEAL)
        assert (intake.account, intake.response_id, intake.kept_id) == (None, "", response_id)


@pytest.mark.parametrize(
    ("conversation", "identifier"), [('"conv_1"', "conv_1"), ('{"id": "conv_2"}', "conv_2")]
)
def test_a_conversation_has_an_id_in_either_form(conversation: str, identifier: str) -> None:
    intake = create(b'{"model": "m", "conversation": %s}' % conversation.encode())
    assert intake.conversation_id == identifier


@pytest.mark.parametrize(
    ("query", "stream"),
    [("", False), ("stream=true&starting_after=3", True), ("stream=false", False)],
)
def test_a_retrieval_says_in_its_query_whether_it_wants_a_stream(query: str, stream: bool) -> None:
    envelope = Envelope(
        operation="retrieve",
        request_id="r",
        response_id=SEAL.seal("t", "account", "resp_up"),
        query=query,
    )
    intake = take_in(envelope, "t", SEAL)
    assert (intake.stream, intake.account, intake.response_id) == (stream, "account", "resp_up")


def test_what_is_counted_or_compacted_is_never_streamed() -> None:
    envelope = Envelope(
        operation="input_tokens", request_id="r", body=b'{"model": "m", "stream": true}'
    )
    assert take_in(envelope, "t", SEAL).stream is False
