"""What Claude says becomes items, in its order; all of it is invented."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import UpstreamProtocolError

TEXT = {"type": "text", "text": "Let me see."}
THOUGHT = {"type": "thinking", "thinking": "I have to look.", "signature": "c2ln"}
HIDDEN = {"type": "redacted_thinking", "data": "aGlkZGVu"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
SEARCH = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {"query": "Oslo"},
}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://oslo.example", "title": "Oslo"}],
}


def test_text_blocks_that_follow_on_each_other_are_one_message(answer: Callable[..., Any]) -> None:
    outcome = answer(TEXT, {"type": "text", "text": " Well."})
    assert outcome.types == ["message"]
    assert outcome.response.output_text == "Let me see. Well."


def test_what_stands_between_two_texts_keeps_them_apart(answer: Callable[..., Any]) -> None:
    outcome = answer(TEXT, HIDDEN, {"type": "text", "text": "Well."})
    assert outcome.types == ["message", "reasoning", "message"]


def test_thoughts_and_calls_keep_their_order_and_come_back_as_they_were(
    answer: Callable[..., Any],
) -> None:
    second = {**CALL, "id": "toolu_2"}
    outcome = answer(THOUGHT, HIDDEN, TEXT, CALL, THOUGHT, second, stop="tool_use")
    assert outcome.types == [
        "reasoning",
        "reasoning",
        "message",
        "function_call",
        "reasoning",
        "function_call",
    ]
    assert outcome.carriers == [[THOUGHT], [HIDDEN], [THOUGHT]]
    assert outcome.items("reasoning")[0].summary[0].text == THOUGHT["thinking"]
    calls = outcome.items("function_call")
    assert [call.call_id for call in calls] == ["toolu_1", "toolu_2"]
    assert {call.arguments for call in calls} == {'{"city":"Oslo"}'}


def test_a_thought_without_words_comes_back_for_its_signature(answer: Callable[..., Any]) -> None:
    silent = {**THOUGHT, "thinking": ""}
    outcome = answer(silent, TEXT)
    assert outcome.items("reasoning")[0].summary == ()
    assert outcome.carriers == [[silent]]


def test_a_thought_that_was_cut_before_its_signature_does_not_come_back(
    answer: Callable[..., Any],
) -> None:
    outcome = answer({**THOUGHT, "signature": ""}, stop="max_tokens")
    assert outcome.types == ["reasoning"]
    assert outcome.carriers == []


def test_a_call_without_arguments_has_an_empty_object(answer: Callable[..., Any]) -> None:
    (call,) = answer({**CALL, "input": {}}, stop="tool_use").items("function_call")
    assert call.arguments == "{}"


def test_blocks_of_unknown_kinds_come_back_as_they_are(answer: Callable[..., Any]) -> None:
    strange = {"type": "not_invented_yet", "a": [1, {"b": None}]}
    assert answer(strange, TEXT).carriers == [[strange]]


def test_a_summary_in_place_of_the_past_comes_back(answer: Callable[..., Any]) -> None:
    summary = {"type": "compaction", "content": "They spoke of Oslo."}
    assert answer(summary, TEXT).carriers == [[summary]]


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        ("end_turn", "completed", None),
        ("stop_sequence", "completed", None),
        ("tool_use", "completed", None),
        ("compaction", "completed", None),
        ("not_invented_yet", "completed", None),
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
        ("refusal", "incomplete", "content_filter"),
    ],
)
def test_the_stop_reason_says_how_the_response_ends(
    answer: Callable[..., Any], stop: str, status: str, reason: str | None
) -> None:
    response = answer(TEXT, stop=stop).response
    assert response.status == status
    assert (response.incomplete_details and response.incomplete_details.reason) == reason


def test_an_answer_of_nothing_is_an_answer(answer: Callable[..., Any]) -> None:
    assert answer().response.status == "completed"


def test_nothing_with_an_unknown_stop_reason_is_a_failure(read: Callable[..., Any]) -> None:
    body = {"type": "message", "content": [], "stop_reason": "not_invented_yet"}
    outcome = read([msgspec.json.encode(body)], whole=True)
    assert isinstance(outcome.error, UpstreamProtocolError)


def test_a_message_that_did_not_end_is_a_failure(read: Callable[..., Any]) -> None:
    body = {"type": "message", "content": [TEXT], "stop_reason": None}
    assert read([msgspec.json.encode(body)], whole=True).response.status == "failed"


@pytest.mark.parametrize(("said", "types"), [((), ["message"]), ((TEXT,), ["message"])])
def test_a_refusal_is_explained_where_nothing_was_said(
    answer: Callable[..., Any], said: tuple[Any, ...], types: list[str]
) -> None:
    details = {"type": "refusal", "explanation": "I must not."}
    outcome = answer(*said, stop="refusal", stop_details=details)
    assert outcome.types == types
    (part,) = outcome.items("message")[0].content
    assert part.type == ("output_text" if said else "refusal")


def test_counts_are_cumulative_and_hold_the_cache(read: Callable[..., Any]) -> None:
    first = {"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 1}
    frames = [
        {"type": "message_start", "message": {"usage": first}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {
                "input_tokens": None,
                "cache_creation_input_tokens": 5,
                "output_tokens": 7,
                "output_tokens_details": {"thinking_tokens": 3},
            },
        },
        {"type": "message_stop"},
    ]
    usage = read(
        [b"data: " + msgspec.json.encode(frame) + b"\n\n" for frame in frames]
    ).response.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (18, 7, 25)
    assert usage.input_tokens_details.cached_tokens == 4
    assert usage.input_tokens_details.cache_write_tokens == 5
    assert usage.output_tokens_details.reasoning_tokens == 3


def test_names_that_anthropic_would_not_take_are_given_back(
    read: Callable[..., Any], streamed: Callable[..., bytes]
) -> None:
    tools = [{"type": "function", "name": "größe", "parameters": {"type": "object"}}]
    request = {"tools": tools}
    sent = read([streamed(stop="pause_turn")], [streamed(TEXT)], request=request).asked[0]
    name = sent["tools"][0]["name"]
    assert name.isascii()
    (call,) = read([streamed({**CALL, "name": name}, stop="tool_use")], request=request).items(
        "function_call"
    )
    assert call.name == "größe"


def test_a_pause_is_gone_on_from_with_all_that_was_said(
    read: Callable[..., Any], streamed: Callable[..., bytes]
) -> None:
    usage = {"input_tokens": 10, "output_tokens": 5}
    container = {"container": {"id": "container_1"}}
    blank = {"type": "text", "text": "\n"}
    outcome = read(
        [streamed(THOUGHT, TEXT, blank, SEARCH, stop="pause_turn", usage=usage, **container)],
        [streamed(FOUND, TEXT, stop="pause_turn", usage=usage)],
        [streamed({"type": "text", "text": " Well."}, usage=usage)],
    )
    assert [body["messages"][-1] for body in outcome.asked] == [
        {"role": "assistant", "content": [THOUGHT, TEXT, SEARCH]},
        {"role": "assistant", "content": [THOUGHT, TEXT, SEARCH, FOUND, TEXT]},
    ]
    assert [body["container"] for body in outcome.asked] == ["container_1"] * 2
    assert outcome.types == ["reasoning", "message", "web_search_call", "reasoning", "message"]
    assert outcome.carriers == [[THOUGHT], [SEARCH, FOUND]]
    assert outcome.response.usage.total_tokens == 45


def test_the_eleventh_pause_is_the_end(
    read: Callable[..., Any], streamed: Callable[..., bytes]
) -> None:
    outcome = read(*([streamed(TEXT, stop="pause_turn")] for _ in range(11)))
    assert len(outcome.asked) == 10
    assert outcome.response.status == "incomplete"


def test_an_answer_that_was_cut_is_not_gone_on_from(
    read: Callable[..., Any], streamed: Callable[..., bytes]
) -> None:
    body = streamed(TEXT, stop="pause_turn")
    outcome = read([body[: body.index(b"event: message_stop")]])
    assert outcome.asked == []
    assert outcome.response.status == "failed"
