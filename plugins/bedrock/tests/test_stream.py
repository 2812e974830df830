"""What the events of a stream become. All of them are invented."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from gateway.plugin import EventStream, Failure
from gateway.plugin.names import safe_name
from gateway.testing.replay import plain, replay

from .conftest import DIALECT, call_of, event, exception

Stream = Callable[..., dict[str, Any]]
Pair = tuple[str, dict[str, Any]]


def piece(index: int, **delta: Any) -> Pair:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}


def start(index: int, **begun: Any) -> Pair:
    return "contentBlockStart", {"contentBlockIndex": index, "start": begun}


def stop(index: int) -> Pair:
    return "contentBlockStop", {"contentBlockIndex": index}


def end(reason: str) -> Pair:
    return "messageStop", {"stopReason": reason}


HELLO = piece(0, text="Hello")
SEARCH = {"toolUseId": "t1", "name": "nova_grounding", "type": "server_tool_use"}


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("end_turn", "completed", None),
        ("stop_sequence", "completed", None),
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
        ("guardrail_intervened", "incomplete", "content_filter"),
        ("content_filtered", "incomplete", "content_filter"),
        ("not_invented_yet", "completed", None),
        ("malformed_model_output", "failed", None),
        ("malformed_tool_use", "failed", None),
    ],
)
def test_the_stop_reason_decides_the_status(
    stream: Stream, reason: str, status: str, why: str | None
) -> None:
    response = stream(HELLO, stop(0), end(reason))
    assert response["status"] == status
    assert (response["incomplete_details"] or {}).get("reason") == why


def test_an_unknown_end_without_a_word_is_a_failure(stream: Stream) -> None:
    assert stream(end("not_invented_yet"))["status"] == "failed"
    assert stream(end("end_turn"))["status"] == "completed"


def test_a_stream_without_its_end_has_failed(stream: Stream) -> None:
    assert stream(HELLO, stop(0))["status"] == "failed"


@pytest.mark.parametrize("whole", [False, True])
def test_a_call_bears_the_name_that_the_client_gave(whole: bool) -> None:
    call = {"toolUseId": "t1", "name": safe_name("tell.me")}
    block = {"toolUse": {**call, "input": {}}}
    answer = {"output": {"message": {"content": [block]}}, "stopReason": "tool_use"}
    streamed = [start(0, toolUse=call), stop(0), end("tool_use")]
    chunks = [msgspec.json.encode(answer)] if whole else [event(*pair) for pair in streamed]
    request = call_of({"tools": [{"type": "function", "name": "tell.me"}]})
    response = plain(replay(DIALECT, request, chunks, whole=whole))[-1]["response"]
    assert [item["name"] for item in response["output"]] == ["tell.me"]


def test_events_of_unknown_kinds_mean_nothing(stream: Stream) -> None:
    news = ("notInventedYet", {"delta": {"text": "what"}})
    odd = piece(0, notInventedYet={"a": 1})
    response = stream(news, HELLO, odd, news, end("end_turn"))
    assert response["output"][0]["content"][0]["text"] == "Hello"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", UpstreamRateLimitError),
        ("modelStreamErrorException", UpstreamUnavailableError),
        ("internalServerException", UpstreamUnavailableError),
        ("serviceUnavailableException", UpstreamUnavailableError),
        ("validationException", UpstreamRejectedError),
        ("modelTimeoutException", UpstreamTimeoutError),
        ("notInventedYetException", UpstreamUnavailableError),
        ("InternalError", UpstreamUnavailableError),
        ("", UpstreamUnavailableError),
    ],
)
def test_an_exception_in_the_stream_is_the_right_error(
    name: str, kind: type[UpstreamError]
) -> None:
    translator = DIALECT.translator(call_of({}))
    (frame,) = EventStream().feed(exception(name, {"message": "in detail"}))
    with pytest.raises(kind, match="in detail"):
        list(translator.feed(frame))


def test_what_was_said_before_an_exception_stays(answer: Stream) -> None:
    response = answer([event(*HELLO), exception("modelStreamErrorException", {"message": "oh"})])
    assert response["status"] == "failed"
    assert response["output"][0]["content"][0]["text"] == "Hello"


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "ValidationException:http://internal.amazon.com/coral/", UpstreamRejectedError),
        (400, "ServiceQuotaExceededException", UpstreamRateLimitError),
        (400, "ExpiredTokenException", UpstreamAuthenticationError),
        (403, "UnrecognizedClientException", UpstreamAuthenticationError),
        (404, "ResourceNotFoundException", UpstreamRejectedError),
        (408, "ModelTimeoutException", UpstreamTimeoutError),
        (424, "ModelErrorException", UpstreamUnavailableError),
        (429, "ModelNotReadyException", UpstreamUnavailableError),
        (429, "ThrottlingException", UpstreamRateLimitError),
        (503, "ServiceUnavailableException", UpstreamUnavailableError),
        (418, "NotInventedYetException", UpstreamRejectedError),
    ],
)
def test_an_error_is_told_by_the_name_in_its_header(
    status: int, name: str, kind: type[UpstreamError]
) -> None:
    failure = Failure(status=status, headers={"x-amzn-errortype": name}, body=b'{"message":"m"}')
    assert type(DIALECT.error(failure)) is kind


def test_an_error_is_told_by_the_name_in_its_body() -> None:
    body = b'{"__type":"x","type":"com.amazonaws#ThrottlingException","message":"slow"}'
    assert type(DIALECT.error(Failure(status=400, body=body))) is UpstreamRateLimitError


def test_a_call_without_arguments_has_an_empty_object(stream: Stream) -> None:
    call = {"toolUseId": "t1", "name": "now"}
    response = stream(
        start(0, toolUse=call), piece(0, toolUse={"input": ""}), stop(0), end("tool_use")
    )
    assert response["output"][0]["arguments"] == "{}"


def test_sources_may_come_after_their_text_or_without_any(stream: Stream) -> None:
    web = {"location": {"web": {"url": "https://a.test/", "domain": "a.test"}}}
    response = stream(
        *(piece(0, text="Wet."), stop(0)),
        *(piece(1, text=" Cold."), piece(1, citation=web), stop(1)),
        *(piece(2, citation={"title": "doc"}), stop(2), end("end_turn")),
    )
    first, second = response["output"][0]["content"][0]["annotations"]
    assert (first["url"], first["start_index"], first["end_index"]) == ("https://a.test/", 4, 10)
    assert (second["filename"], second["index"]) == ("doc", 10)


def test_offsets_count_the_message_that_they_are_in(stream: Stream) -> None:
    web = {"location": {"web": {"url": "https://a.test/"}}}
    response = stream(
        *(HELLO, stop(0)),
        *(start(1, toolUse=SEARCH), piece(1, toolUse={"input": '{"query":"x"}'}), stop(1)),
        *(start(2, toolResult={"toolUseId": "t1", "status": "success"}), stop(2)),
        *(piece(3, citation=web), piece(3, text="Wet."), stop(3), end("end_turn")),
    )
    (citation,) = response["output"][-1]["content"][0]["annotations"]
    assert (citation["start_index"], citation["end_index"]) == (0, 4)


def test_a_search_of_the_vendor_is_an_item_behind_its_carrier(stream: Stream) -> None:
    response = stream(
        *(start(0, toolUse=SEARCH), piece(0, toolUse={"input": '{"query":"rain"}'}), stop(0)),
        *(start(1, toolResult={"toolUseId": "t1", "status": "error"}), stop(1), end("end_turn")),
    )
    carrier, search = response["output"]
    assert carrier["type"] == "reasoning"
    assert carrier["summary"] == []
    assert search["action"] == {"type": "search", "query": "rain", "queries": ["rain"]}
    assert search["status"] == "failed"


def test_a_call_of_the_vendor_that_was_cut_off_leaves_nothing_behind(stream: Stream) -> None:
    response = stream(
        start(0, toolUse=SEARCH), piece(0, toolUse={"input": "{}"}), end("max_tokens")
    )
    assert response["output"] == []


def test_usage_counts_what_the_cache_gave_and_took(stream: Stream) -> None:
    counts = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 42}
    cache = {"cacheReadInputTokens": 10, "cacheWriteInputTokens": 20}
    usage = stream(HELLO, end("end_turn"), ("metadata", {"usage": counts | cache}))["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (35, 7, 42)
    assert usage["input_tokens_details"] == {"cached_tokens": 10, "cache_write_tokens": 20}


def test_the_number_of_tokens_is_read() -> None:
    assert DIALECT.read_count(b'{"inputTokens": 12, "news": "x"}') == 12
    for body in (b"{}", b"[]", b"", b'{"inputTokens": "many"}'):
        with pytest.raises(UpstreamProtocolError):
            DIALECT.read_count(body)
