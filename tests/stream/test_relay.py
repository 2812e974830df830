"""Relaying: the client gets the upstream's own bytes, but for ids and the model's name."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import StoreError, UpstreamProtocolError, UpstreamRateLimitError
from gateway.stream.blocks import split_frames
from gateway.stream.relay import Relay
from gateway.stream.rewrite import Rewrite, rewrite_response
from gateway.stream.sse import SSEDecoder

CASES = Path(__file__).parents[2] / "../shared/corpus/cases"
TERMINAL = {"response.completed", "response.failed", "response.incomplete"}
LIFECYCLE = TERMINAL | {"response.created", "response.queued", "response.in_progress"}


def recorded(*, stream: bool) -> list[Any]:
    """Return the recorded answers of upstreams that speak Responses, or one skipped case."""
    metas = [json.loads(path.read_bytes()) | {"path": path} for path in CASES.glob("*/*/meta.json")]
    chosen = [
        pytest.param(meta["path"].with_name("response.body").read_bytes(), id=meta["id"])
        for meta in metas
        if meta["api"] == "responses" and meta["stream"] is stream and meta["status"] == 200
    ]
    skipped = pytest.mark.skip(reason="the corpus of recordings is not on this machine")
    return sorted(chosen, key=lambda case: case.id) or [pytest.param(b"", marks=skipped)]


def sealed(upstream_id: str) -> str:
    return f"resp_sealed_{upstream_id}"


def rewrite(**more: Any) -> Rewrite:
    return Rewrite(seal=sealed, rename=lambda model: "alias", **more)


def relay() -> Relay:
    return Relay(rewrite())


def relayed(chunks: Iterable[bytes]) -> bytes:
    running = relay()
    return b"".join([*map(running.feed, chunks), running.close()])


def pieces(body: bytes, size: Callable[[], int]) -> Iterable[bytes]:
    start = 0
    while start < len(body):
        end = start + size()
        yield body[start:end]
        start = end


def events(stream: bytes) -> list[Any]:
    decoder = SSEDecoder()
    frames = [*decoder.feed(stream), *decoder.close()]
    return [json.loads(frame.data) for frame in frames if frame.data != b"[DONE]"]


def not_data(frame: bytes) -> list[bytes]:
    return [line for line in frame.splitlines(keepends=True) if not line.startswith(b"data:")]


def expected(event: Any) -> Any:
    """Return what must become of a recorded event."""
    if event.get("type") not in LIFECYCLE:
        return event
    response = event["response"]
    changed = {"id": sealed(response["id"])}
    if response.get("model") is not None:
        changed["model"] = "alias"
    if response.get("previous_response_id"):
        changed["previous_response_id"] = sealed(response["previous_response_id"])
    return event | {"response": response | changed}


def frame(event: dict[str, Any], line_end: str = "\n") -> bytes:
    data = json.dumps(event, separators=(",", ":"))
    lines = (f"event: {event['type']}", f"data: {data}", "", "")
    return line_end.join(lines).encode()


def lifecycle(kind: str, number: int, **more: Any) -> dict[str, Any]:
    response = {"id": "resp_up", "object": "response", "model": "gpt", "output": []} | more
    return {"type": f"response.{kind}", "response": response, "sequence_number": number}


def delta(text: str, number: int) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "delta": text, "sequence_number": number}


STREAM = b"".join(
    [
        frame(lifecycle("created", 0)),
        frame(lifecycle("in_progress", 1)),
        b": ping\n\n",
        frame(delta('\N{SNOWMAN} says "response.completed"', 2)),
        frame(lifecycle("completed", 3, usage={"input_tokens": 4, "output_tokens": 5})),
        b"data: [DONE]\n\n",
    ]
)


@pytest.mark.parametrize("body", recorded(stream=True))
def test_recorded_streams_pass_but_for_ids_and_model(body: bytes) -> None:
    whole = relayed([body])
    assert events(whole) == [expected(event) for event in events(body)]
    for before, after in zip(split_frames(body), split_frames(whole), strict=True):
        if b"resp_sealed_" not in after:
            assert after == before
        else:
            assert not_data(after) == not_data(before)


@pytest.mark.parametrize("body", recorded(stream=True))
def test_network_chunks_do_not_matter(body: bytes) -> None:
    whole = relayed([body])
    numbers = random.Random(len(body))
    assert relayed(pieces(body, lambda: 7)) == whole
    assert relayed(pieces(body, lambda: numbers.randint(1, 16))) == whole


@pytest.mark.parametrize("body", recorded(stream=True))
def test_a_stream_cut_anywhere_still_ends_well(body: bytes) -> None:
    lines = body.splitlines(keepends=True)
    step = max(1, len(lines) // 150)
    for end in range(0, len(lines), step):
        told = events(relayed(lines[:end]))
        kinds = [event["type"] for event in told]
        assert kinds[-1] in TERMINAL
        if kinds[-1] == "response.failed" and b"event: error" not in body:
            assert kinds[-2] == "error"


@pytest.mark.parametrize("body", recorded(stream=False))
def test_recorded_answers_pass_but_for_ids_and_model(body: bytes) -> None:
    answer = rewrite_response(body, rewrite())
    event = {"type": "response.completed", "response": json.loads(body)}
    assert json.loads(answer) == expected(event)["response"]


@given(st.lists(st.integers(1, 60), min_size=1), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_chunking_gives_the_same_bytes_in_whole_frames(sizes: list[int], end: str) -> None:
    body = STREAM.decode().replace("\n", end).encode()
    size = itertools.cycle(sizes).__next__
    running = relay()
    blocks = [running.feed(piece) for piece in pieces(body, size)]
    blocks.append(running.close())
    assert b"".join(blocks) == relayed([body])
    for block in filter(None, blocks):
        decoder = SSEDecoder()
        decoder.feed(block)
        assert decoder.close() == []
    assert running.outcome == "completed"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_any_kind_stay(end: str) -> None:
    body = frame(lifecycle("created", 0), end) + frame(delta("x", 1), end)
    told = body.replace(b"resp_up", b"resp_sealed_resp_up").replace(b'"gpt"', b'"alias"')
    assert relay().feed(body) == told


def test_a_frame_waits_until_it_is_whole() -> None:
    running = relay()
    whole = frame(delta("x", 1))
    assert running.feed(whole + whole[:20]) == whole
    assert running.feed(whole[20:-1]) == b""
    assert running.feed(whole[-1:]) == whole


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_frame_leaves_as_soon_as_it_is_whole(end: str) -> None:
    frames = [frame(delta(text, number), end) for number, text in enumerate("abc")]
    running = relay()
    blocks = [running.feed(piece) for piece in pieces(b"".join(frames), lambda: 1)]
    assert len(list(filter(None, blocks))) == len(frames)


def test_text_that_mentions_a_lifecycle_event_is_not_touched() -> None:
    mention = frame(delta('"response.completed" {"response":{"id":"resp_up"}}', 1))
    item = frame({"type": "response.output_item.done", "item": {"response": {"id": "resp_up"}}})
    running = relay()
    assert running.feed(mention + item) == mention + item
    assert running.outcome is None


def test_only_the_response_object_of_a_lifecycle_event_changes() -> None:
    before = b': hi\nid: 7\nevent: response.created\nretry: 5\ndata:  {"x" : [1.0,"resp_up"], '
    after = b',\t"type":"response.created" }  \n\n'
    body = before + b'"response": {"id":"resp_up","n":1.50}' + after
    told = before + b'"response": {"id":"resp_sealed_resp_up","n":1.50}' + after
    assert relay().feed(body) == told


def test_an_object_that_begins_like_the_response_is_not_taken_for_it() -> None:
    twin = {"id": "resp_up", "object": "response", "model": "gpt", "output": [], "text": "a" * 99}
    body = frame(
        {"type": "response.created", "twin": twin} | lifecycle("created", 0, text="a" * 98)
    )
    [event] = events(relay().feed(body))
    assert event["twin"] == twin
    assert event["response"] == twin | {
        "id": "resp_sealed_resp_up",
        "model": "alias",
        "text": "a" * 98,
    }


def test_what_comes_after_the_terminal_event_does_not_undo_it() -> None:
    running = relay()
    running.feed(STREAM + frame(lifecycle("in_progress", 9)))
    assert running.outcome == "completed"


def test_data_over_several_lines_keeps_its_lines() -> None:
    body = (
        b'data: {"type":"response.created",\ndata: "response":{"id":"resp_up",\n'
        b'data: "a":\ndata:  1}}\n\n'
    )
    told = relay().feed(body)
    assert events(told) == [
        {"type": "response.created", "response": {"id": "resp_sealed_resp_up", "a": 1}}
    ]
    assert all(line.startswith(b"data: ") for line in told.splitlines() if line)


def test_the_event_line_counts_where_the_data_has_no_type() -> None:
    body = b'\xef\xbb\xbfevent: response.completed\ndata: {"response":{"id":"resp_up"}}\n\n'
    running = relay()
    assert running.feed(body) == body.replace(b"resp_up", b"resp_sealed_resp_up")
    assert running.ended


def test_a_lifecycle_event_that_is_not_json_passes_and_does_not_count() -> None:
    body = b'event: response.completed\ndata: {"response":{,}}\n\n'
    running = relay()
    assert running.feed(body) == body
    assert not running.ended


def test_a_model_is_renamed_by_what_the_upstream_calls_it() -> None:
    running = Relay(Rewrite(seal=sealed, rename=lambda model: f"mine/{model}"))
    assert (
        events(running.feed(frame(lifecycle("created", 0))))[0]["response"]["model"] == "mine/gpt"
    )


def test_usage_and_outcome_come_from_the_terminal_event() -> None:
    running = relay()
    running.feed(STREAM)
    assert running.outcome == "completed"
    assert running.usage is not None
    assert (running.usage.input_tokens, running.usage.output_tokens) == (4, 5)


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": "many"}, [1]])
def test_usage_that_cannot_be_read_does_no_harm(usage: Any) -> None:
    running = relay()
    running.feed(frame(lifecycle("completed", 0, usage=usage)))
    assert running.usage is None or running.usage.input_tokens == 0


def test_nulls_in_usage_read_as_absent() -> None:
    running = relay()
    usage = {"input_tokens": 3, "input_tokens_details": None}
    running.feed(frame(lifecycle("completed", 0, usage=usage)))
    assert running.usage is not None
    assert running.usage.input_tokens == 3


def test_a_last_frame_without_its_blank_line_is_completed() -> None:
    whole = frame(lifecycle("completed", 4))
    for missing in (1, 2):
        running = relay()
        running.feed(whole[:-missing])
        assert running.close() == relay().feed(whole)
        assert running.ended


def test_a_last_done_without_its_blank_line_is_completed() -> None:
    running = relay()
    running.feed(STREAM[:-1])
    assert running.close() == b"data: [DONE]\n\n"


def test_a_last_frame_that_is_cut_is_dropped() -> None:
    running = relay()
    running.feed(frame(lifecycle("in_progress", 1)) + frame(delta("x", 2))[:-5])
    assert [event["type"] for event in events(running.close())] == ["error", "response.failed"]


def test_a_stream_without_an_end_gets_one_built_on_the_last_response() -> None:
    running = relay()
    running.feed(frame(lifecycle("in_progress", 1, metadata={"a": "b"})) + frame(delta("x", 2)))
    error, failed = events(running.close())
    assert error["sequence_number"] == 3
    assert error["code"] == error["error"]["code"] == "upstream_protocol_error"
    assert error["message"] == error["error"]["message"]
    assert failed["sequence_number"] == 4
    response = failed["response"]
    assert response["id"] == "resp_sealed_resp_up"
    assert response["model"] == "alias"
    assert response["metadata"] == {"a": "b"}
    assert response["status"] == "failed"
    assert response["error"]["code"] == "server_error"
    assert running.outcome == "failed"


def test_a_stream_that_never_began_fails_under_the_id_known_beforehand() -> None:
    running = Relay(rewrite(response_id=lambda: "resp_mine", model="alias"))
    error, failed = events(running.close())
    assert (error["sequence_number"], failed["sequence_number"]) == (0, 1)
    assert failed["response"]["id"] == "resp_mine"
    assert failed["response"]["model"] == "alias"
    assert failed["response"]["output"] == []


@pytest.mark.parametrize(
    "told",
    [
        {"code": "too_many_requests", "message": "slow down"},
        {"error": {"code": "too_many_requests", "message": "slow down"}},
    ],
)
def test_an_error_event_of_the_upstream_is_not_repeated(told: dict[str, Any]) -> None:
    error = {"type": "error", "sequence_number": 5} | told
    running = relay()
    assert running.feed(frame(error)) == frame(error)
    assert running.feed(b"data: [DONE]\n\n") == b"data: [DONE]\n\n"
    [failed] = events(running.close())
    assert failed["sequence_number"] == 6
    assert failed["response"]["error"] == {"code": "server_error", "message": "slow down"}


def test_an_error_event_that_makes_no_sense_still_counts() -> None:
    running = relay()
    running.feed(frame({"type": "error", "error": {"message": 7}}))
    [failed] = events(running.close())
    assert failed["response"]["error"]["message"] == "the provider reported an error"


def test_a_failure_is_told_under_its_own_code() -> None:
    running = relay()
    running.feed(frame(lifecycle("created", 0)))
    reason = UpstreamRateLimitError("acme: slow down")
    error, failed = events(running.fail(reason))
    assert running.failure is reason
    assert error["error"]["code"] == "rate_limit_exceeded"
    assert error["error"]["type"] == "rate_limit_error"
    assert failed["response"]["error"]["code"] == "rate_limit_exceeded"


def test_nothing_is_added_after_the_terminal_event() -> None:
    running = relay()
    running.feed(STREAM)
    assert running.fail(UpstreamProtocolError("broken")) == b""
    assert running.close() == b""
    cut = relay()
    cut.close()
    assert cut.close() == b""


def held(chunks: Iterable[bytes], changes: dict[str, Any]) -> tuple[bytes, bytes, Relay]:
    """Return what a relay that holds gives of a stream, and what it gives at last."""
    running = Relay(rewrite(), holds=True)
    given = b"".join([*map(running.feed, chunks), running.close()])
    assert running.over
    return given, running.last(changes), running


@pytest.mark.parametrize("body", [*recorded(stream=True), STREAM])
def test_a_terminal_event_that_was_held_is_the_same_at_last(body: bytes) -> None:
    whole = relayed([body])
    for size in (len(body), 11):
        given, last, _ = held(pieces(body, lambda size=size: size), {})
        assert not any(event["type"] in TERMINAL for event in events(given))
        if size == len(body):
            assert given + last == whole
        assert sorted(split_frames(given + last)) == sorted(split_frames(whole))


def test_the_response_of_a_held_event_may_change() -> None:
    _, last, running = held([STREAM], {"store": False})
    [completed] = events(last)
    assert completed["response"]["store"] is False
    assert completed["response"]["id"] == "resp_sealed_resp_up"
    assert json.loads(running.response) == completed["response"]
    assert last.endswith(b"data: [DONE]\n\n")
    assert running.last({}) == b""


def test_a_held_event_can_be_refused() -> None:
    running = Relay(rewrite(), holds=True)
    given = running.feed(STREAM)
    refused = running.refuse(StoreError("the store is gone"))
    told = events(given + refused)
    assert [event["sequence_number"] for event in told] == [0, 1, 2, 3, 4]
    assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
    assert told[-1]["response"]["status"] == "failed"
    assert told[-1]["response"]["usage"] == {"input_tokens": 4, "output_tokens": 5}
    assert refused.endswith(b"data: [DONE]\n\n")
    assert running.outcome == "failed"


def test_a_response_that_has_failed_is_not_refused() -> None:
    body = frame(lifecycle("created", 0)) + frame(lifecycle("failed", 1))
    running = Relay(rewrite(), holds=True)
    given = running.feed(body)
    assert given + running.refuse(StoreError("the store is gone")) == relayed([body])


def test_a_resumed_stream_has_no_beginning() -> None:
    body = frame(delta("x", 7)) + frame(lifecycle("completed", 8))
    running = relay()
    assert events(running.feed(body))[-1]["response"]["id"] == "resp_sealed_resp_up"
    assert running.close() == b""


def test_streams_without_numbers_end_well() -> None:
    running = relay()
    running.feed(b'data: {"type":"response.created","response":{"id":"resp_up"}}\n\n')
    error, failed = events(running.close())
    assert (error["sequence_number"], failed["sequence_number"]) == (0, 1)


def test_a_frame_over_the_limit_fails_the_stream() -> None:
    running = Relay(rewrite(), limit=1000)
    running.feed(frame(lifecycle("created", 0)))
    assert running.feed(b"x" * 1000) == b""
    with pytest.raises(UpstreamProtocolError, match="more than 1000 bytes"):
        running.feed(b"x")
    ending = running.fail(UpstreamProtocolError("too large"))
    assert [event["type"] for event in events(ending)] == ["error", "response.failed"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'{"id":"resp_1","deleted":true}', b'{"id":"resp_sealed_resp_1","deleted":true}'),
        (b'{"id":"x","object":"response"}', b'{"id":"resp_sealed_x","object":"response"}'),
        (b'{"object":"list","data":[{"id":"msg_1"}]}',) * 2,
        (b'{"object":"response.input_tokens","input_tokens":1}',) * 2,
        (b'{"id":null,"object":"response","model":null}',) * 2,
        (b'{"id":"cmp_1","object":"response.compaction"}',) * 2,
    ],
)
def test_only_response_ids_are_sealed_in_answers(answer: bytes, told: bytes) -> None:
    assert rewrite_response(answer, rewrite()) == told


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"id":"\xff"}'])
def test_an_answer_that_is_no_object_is_the_providers_fault(answer: bytes) -> None:
    with pytest.raises(UpstreamProtocolError, match="not a JSON object"):
        rewrite_response(answer, rewrite())
