"""Answers of every kind. All chunks here are invented, after what vendors document."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.plugin import Annotation, Finished, Frame, Logprobs, Text, Thought, Used
from gateway.stream.lifecycle import violations
from gateway_chat.quirks import Quirks
from gateway_chat.stream import ChatTranslator
from gateway_chat.usage import read_usage
from gateway_chat.wire import ReportedUsage

Chat = Callable[..., Any]


def choice(**members: Any) -> dict[str, Any]:
    return {"choices": [members]}


def whole(**message: Any) -> dict[str, Any]:
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


def test_a_whole_answer_gives_the_deltas_of_a_stream(deltas: Chat) -> None:
    message = {"reasoning_content": "Hm.", "content": "Yes.", "refusal": "No."}
    streamed = deltas(choice(delta=message), choice(delta={}, finish_reason="stop"))
    assert deltas(whole(**message)) == streamed
    assert streamed[:2] == [Thought("Hm."), Text("Yes.")]


def test_only_the_first_choice_is_read(deltas: Chat) -> None:
    second = {"index": 1, "delta": {"content": "other"}, "finish_reason": "length"}
    first = {"index": 0, "delta": {"content": "this"}}
    assert deltas({"choices": [second, first]}) == [Text("this")]


def test_a_role_and_empty_content_say_nothing(deltas: Chat) -> None:
    assert deltas(choice(delta={"role": "assistant", "content": ""}), {"choices": []}) == []


@pytest.mark.parametrize(
    ("reason", "status", "detail"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("function_call", "completed", None),
        ("eos", "completed", None),
        ("STOP", "completed", None),
        ("tool_use", "completed", None),
        ("made_up", "completed", None),
        ("MAX_TOKENS", "incomplete", "max_output_tokens"),
        ("sensitive", "incomplete", "content_filter"),
        ("content_filter: RECITATION", "incomplete", "content_filter"),
        ("length", "incomplete", "max_output_tokens"),
        ("model_length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"),
        ("error", "failed", None),
        ("network_error", "failed", None),
        ("insufficient_system_resource", "failed", None),
    ],
)
def test_a_finish_reason_decides_the_status(
    chat: Chat, reason: str, status: str, detail: str | None
) -> None:
    outcome = chat({"content": "Hello"}, reason)
    assert violations(outcome.events) == []
    assert outcome.response.status == status
    details = outcome.response.incomplete_details
    assert (details.reason if details else None) == detail


def test_an_unknown_finish_reason_without_output_is_a_failure(chat: Chat) -> None:
    outcome = chat("made_up")
    assert isinstance(outcome.error, UpstreamProtocolError)
    assert "made_up" in outcome.error.message


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "Hello"},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]},
    ],
)
def test_output_and_an_end_marker_need_no_finish_reason(chat: Chat, delta: dict[str, Any]) -> None:
    assert chat(delta).response.status == "completed"
    assert chat(delta, done=False).response.status == "failed"


def test_an_end_marker_alone_is_a_failure(chat: Chat) -> None:
    assert chat({}).response.status == "failed"


def test_a_finish_reason_said_twice_counts_once(deltas: Chat) -> None:
    end = choice(delta={"content": ""}, finish_reason="length")
    assert deltas(end, end) == [Finished("max_output_tokens")]


def test_usage_after_the_end_is_reported(deltas: Chat) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
    used = deltas(choice(delta={"content": "x"}, finish_reason="stop"), usage)[-1]
    assert isinstance(used, Used)
    assert (used.usage.input_tokens, used.usage.output_tokens, used.usage.total_tokens) == (3, 4, 7)


@pytest.mark.parametrize(
    ("reported", "cached", "written", "output", "reasoning"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2}}, 5, 2, 10, 0),
        ({"prompt_cache_hit_tokens": 5}, 5, 0, 10, 0),
        ({"num_cached_tokens": 5, "prompt_tokens_details": None}, 5, 0, 10, 0),
        ({"completion_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 30}, 0, 0, 10, 4),
        ({"completion_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 34}, 0, 0, 14, 4),
        ({"completion_tokens_details": {"reasoning_tokens": None}}, 0, 0, 10, 0),
        ({"total_tokens": 37}, 0, 0, 17, 7),
        ({"completion_tokens": None, "output_tokens": 10, "total_tokens": 30}, 0, 0, 10, 0),
        ({"completion_tokens": None, "tokens": {"output_tokens": 10}}, 0, 0, 10, 0),
        ({"cached_tokens": 5}, 5, 0, 10, 0),
        ({"cache_read_input_tokens": 5, "cache_creation_input_tokens": 2}, 5, 2, 10, 0),
        ({"output_tokens_details": {"reasoning_tokens": 4}}, 0, 0, 10, 4),
        ({"reasoning_tokens": 4, "prompt_tokens_details": {"cached_tokens": -1}}, 0, 0, 10, 4),
    ],
)
def test_usage_is_read_under_all_its_names(
    reported: dict[str, Any], cached: int, written: int, output: int, reasoning: int
) -> None:
    counts = {"prompt_tokens": 20, "completion_tokens": 10.0, **reported}
    usage = read_usage(msgspec.convert(counts, ReportedUsage))
    assert usage is not None
    assert usage.input_tokens_details.cached_tokens == cached
    assert usage.input_tokens_details.cache_write_tokens == written
    assert usage.output_tokens == output
    assert usage.output_tokens_details.reasoning_tokens == reasoning
    assert usage.total_tokens == 20 + output


def test_tokens_of_the_cache_that_only_the_total_counts_are_input() -> None:
    reported = ReportedUsage(
        prompt_tokens=20, completion_tokens=10, total_tokens=37, cache_read_input_tokens=7
    )
    usage = read_usage(reported)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (27, 10)


@pytest.mark.parametrize("empty", [{}, {"prompt_tokens": None}, {"total_tokens": 0}])
def test_usage_that_counts_nothing_takes_nothing_back(deltas: Chat, empty: dict[str, Any]) -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 4}
    found = deltas({"choices": [], "usage": counts}, {"choices": [], "usage": empty})
    assert [type(delta) for delta in found] == [Used]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"message": "x", "type": "rate_limit_exceeded"}}, UpstreamRateLimitError),
        ({"error": {"message": "x", "code": "context_length_exceeded"}}, UpstreamRejectedError),
        ({"error": 500}, UpstreamUnavailableError),
        ({"detail": "it broke"}, UpstreamUnavailableError),
        ({"code": "Throttling", "message": "it broke"}, UpstreamUnavailableError),
        ({"type": "error", "message": "it broke", "code": 429}, UpstreamRateLimitError),
        ({"base_resp": {"status_code": 1004, "status_msg": "x"}}, UpstreamUnavailableError),
        ({"error": {"code": 429, "message": "slow down"}}, UpstreamRateLimitError),
        ({"error": {"code": "400", "message": "bad"}}, UpstreamRejectedError),
        ({"error": "it broke"}, UpstreamUnavailableError),
        ({"x_groq": {"error": "it broke"}}, UpstreamUnavailableError),
        ({"choices": [{"error": {"code": 502, "message": "x"}}]}, UpstreamUnavailableError),
        ({"object": "error", "message": "it broke"}, UpstreamUnavailableError),
    ],
)
def test_an_error_inside_a_good_answer_fails_it(
    read: Chat, error: dict[str, Any], kind: type[UpstreamError]
) -> None:
    started = msgspec.json.encode(choice(delta={"content": "Hel"}))
    frames = [b"data: " + data + b"\n\n" for data in (started, msgspec.json.encode(error))]
    outcome = read(frames)
    assert type(outcome.error) is kind
    assert outcome.error.message.startswith("acme")
    assert violations(outcome.events) == []
    assert outcome.response.status == "failed"
    assert outcome.text == "Hel"


def test_what_comes_along_with_a_failure_counts(read: Chat) -> None:
    frame = choice(delta={"content": "Hel"}, finish_reason="error") | {
        "error": {"code": 502, "message": "it broke"},
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }
    outcome = read([b"data: %b\n\n" % msgspec.json.encode(frame)])
    assert violations(outcome.events) == []
    assert isinstance(outcome.error, UpstreamUnavailableError)
    assert outcome.error.message == "acme: it broke"
    assert (outcome.text, outcome.response.usage.total_tokens) == ("Hel", 7)


def test_a_context_that_is_too_long_is_told_by_its_code(read: Chat) -> None:
    error = {
        "message": "This model's maximum context length is 10",
        "type": "invalid_request_error",
    }
    outcome = read([b"data: %b\n\n" % msgspec.json.encode({"error": error})])
    assert outcome.error.code == "context_length_exceeded"


def test_what_comes_after_the_end_is_not_said(chat: Chat) -> None:
    outcome = chat({"content": "Yes."}, "stop", {"content": "No.", "reasoning": "Hm."}, "length")
    assert violations(outcome.events) == []
    assert (outcome.response.status, outcome.text) == ("completed", "Yes.")


def test_comments_and_roles_are_no_items(read: Chat) -> None:
    frame = msgspec.json.encode(choice(delta={"role": "assistant", "content": ""}))
    end = msgspec.json.encode(choice(delta={}, finish_reason="stop"))
    outcome = read([b": PROCESSING\n\ndata: %b\n\n:\n\ndata: %b\n\n" % (frame, end)])
    assert (outcome.response.status, outcome.response.output) == ("completed", ())


def test_an_event_named_error_fails_the_answer(read: Chat) -> None:
    outcome = read([b'event: error\ndata: {"message": "it broke"}\n\n'])
    assert isinstance(outcome.error, UpstreamUnavailableError)
    assert "it broke" in outcome.error.message


def test_an_error_after_the_end_takes_nothing_back(read: Chat) -> None:
    end = msgspec.json.encode(choice(delta={"content": "x"}, finish_reason="length"))
    late = b'{"error": {"code": 400, "message": "Token limit reached"}}'
    outcome = read([b"data: " + end + b"\n\n", b"data: " + late + b"\n\n"])
    assert (outcome.error, outcome.response.status) == (None, "incomplete")


@pytest.mark.parametrize(
    "data", [b"{,", b"[1]", b'"text"', b"\xff\xfe", b'{"choices": ' + b"[" * 9999]
)
def test_what_is_not_a_json_object_is_a_protocol_error(data: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        ChatTranslator(Quirks()).feed(Frame(data))


def test_a_field_of_an_unexpected_type_does_not_hide_the_others(deltas: Chat) -> None:
    odd = {
        "object": 5,
        "usage": {"prompt_tokens": "many", "completion_tokens": 2},
        "x_groq": "yes",
        "choices": [
            None,
            {"delta": {"content": "Hello", "refusal": {"why": "?"}, "tool_calls": "none"}},
        ],
    }
    text, used = deltas(odd)
    assert text == Text("Hello")
    assert isinstance(used, Used)
    assert used.usage.output_tokens == 2


def test_frames_of_unknown_kinds_mean_nothing(deltas: Chat) -> None:
    unknown = {"type": "not_invented_yet", "message": "hello"}
    assert deltas(unknown, {"choices": None}, {"choices": [{}]}, {"base_resp": {}}) == []


def test_a_message_beside_the_deltas_is_not_read_twice(chat: Chat, read: Chat) -> None:
    frames = [
        choice(delta={"content": "Hel"}, message={"content": "Hel"}),
        choice(delta={"content": "lo"}, message={"content": "Hello"}),
        choice(delta={"content": ""}, message={"content": "Hello"}, finish_reason="stop"),
    ]
    assert read([b"data: %b\n\n" % msgspec.json.encode(frame) for frame in frames]).text == "Hello"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_comes_in_a_field(deltas: Chat, field: str) -> None:
    assert deltas(choice(delta={field: "Hm.", "content": None})) == [Thought("Hm.")]


def test_reasoning_comes_in_a_list(deltas: Chat) -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    parts = [
        thinking,
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "Yes."},
    ]
    assert deltas(choice(delta={"content": parts})) == [Thought("Hm."), Text("Yes.")]
    flat = [{"type": "thinking", "thinking": "Hm."}]
    assert deltas(choice(delta={"content": flat})) == [Thought("Hm.")]


def test_reasoning_details_are_carried_whole(deltas: Chat) -> None:
    def detail(**members: Any) -> dict[str, Any]:
        return choice(delta={"reasoning_details": [{"index": 0, **members}]})

    found = deltas(
        detail(type="reasoning.text", text="Let "),
        detail(type="reasoning.text", text="me.", signature="s"),
        detail(type="reasoning.encrypted", data="xyz"),
        choice(delta={"content": "Yes."}),
    )
    carrier = found[2].carrier
    assert found == [Thought("Let "), Thought("me."), Thought(carrier=carrier), Text("Yes.")]
    assert msgspec.json.decode(carrier)["details"] == [
        {"index": 0, "type": "reasoning.text", "text": "Let me.", "signature": "s"},
        {"index": 0, "type": "reasoning.encrypted", "data": "xyz"},
    ]


def test_a_summary_of_the_reasoning_is_told_as_one(deltas: Chat) -> None:
    summary = {"type": "reasoning.summary", "summary": "In short", "index": 0}
    sealed = {"type": "reasoning.encrypted", "data": "xyz", "index": 0}
    first, second = deltas(
        choice(delta={"reasoning": "In short", "reasoning_details": [summary]}),
        choice(delta={"reasoning": ".", "reasoning_details": [sealed]}),
    )
    assert first == Thought("In short", kind="summary")
    assert second == Thought(".", kind="summary")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_think_tags_are_taken_out(chat: Chat, size: int) -> None:
    content = "\n<think>a < b </thin k></think>\n\nSay <think> twice </think>"
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    outcome = chat(*({"content": piece} for piece in pieces), "stop", think_tags="paired")
    assert outcome.text == "Say <think> twice </think>"
    assert [part.text for part in outcome.items("reasoning")[0].content] == ["a < b </thin k>"]


@pytest.mark.parametrize(
    ("content", "mode", "thought", "text"),
    [
        ("Hm.</think>Yes.", "opened", "Hm.", "Yes."),
        ("<thin", "paired", "", "<thin"),
        ("Yes <think>", "paired", "", "Yes <think>"),
        ("<think>Hm.</th", "paired", "Hm.</th", ""),
        ("<think></think>Yes", "paired", "", "Yes"),
        ("<think>Hm.</think>Yes.", "none", "", "<think>Hm.</think>Yes."),
    ],
)
def test_think_tags_count_only_where_they_should(
    deltas: Chat, content: str, mode: str, thought: str, text: str
) -> None:
    found = deltas(choice(delta={"content": content}, finish_reason="stop"), think_tags=mode)
    assert "".join(delta.text for delta in found if isinstance(delta, Thought)) == thought
    assert "".join(delta.text for delta in found if isinstance(delta, Text)) == text


def test_citations_and_log_probabilities_are_told(deltas: Chat) -> None:
    cited = {"url": "https://example.org", "title": "Example", "start_index": 0, "end_index": 3}
    token = {"token": "Yes", "logprob": -0.1, "bytes": None, "top_logprobs": []}
    found = deltas(
        choice(
            delta={
                "content": "Yes",
                "annotations": [{"type": "url_citation", "url_citation": cited}, {"type": "x"}],
            },
            logprobs={"content": [token]},
        )
    )
    assert [type(delta) for delta in found] == [Logprobs, Text, Annotation]
    assert found[0].logprobs[0].token == "Yes"
    assert found[2].annotation.url == "https://example.org"


def test_two_calls_share_no_state(deltas: Chat) -> None:
    frame = choice(
        delta={"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}
    )
    assert deltas(frame) == deltas(frame)
