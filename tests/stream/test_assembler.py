"""What the assembler makes of deltas, one rule for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from gateway.errors import (
    GatewayError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.stream import deltas as d
from gateway.stream.assembler import Assembler
from gateway.stream.lifecycle import violations
from gateway.stream.sse import SSEDecoder, encode_frames
from gateway.types.content import Logprob, OutputText, SummaryText, UrlCitation
from gateway.types.hosted_items import McpListedTool
from gateway.types.items import (
    CodeInterpreterCall,
    CustomToolCall,
    FunctionCall,
    McpApprovalRequest,
    McpCall,
    McpListTools,
    Message,
    OutputItem,
    Program,
    Reasoning,
    WebSearchCall,
)
from gateway.types.open import Unknown
from gateway.types.response import InputTokensDetails, Response, Usage

CITATION = UrlCitation(url="https://example.com", title="Example", start_index=0, end_index=2)


def new_assembler() -> Assembler:
    numbers = itertools.count(1)
    response = Response(id="resp_1", created_at=100, model="acme/small")
    return Assembler(response, lambda prefix: f"{prefix}_{next(numbers)}", lambda: 107.9)


def wire(events: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the events as a client reads them."""
    return [msgspec.json.decode(frame.data) for frame in SSEDecoder().feed(encode_frames(events))]


def assemble(*deltas: d.Delta) -> list[dict[str, Any]]:
    """Return the events of a whole answer, which has to keep the rules."""
    assembler = new_assembler()
    events = assembler.start()
    for delta in deltas:
        events += assembler.feed(delta)
    stream = wire(events + assembler.finish())
    assert violations(stream) == []
    assert stream[-1]["response"] == assembler.response.to_dict()
    return stream


def told(stream: list[dict[str, Any]]) -> list[str]:
    """Return the types of the events between the beginning and the end of the response."""
    return [event["type"].removeprefix("response.") for event in stream[2:-1]]


def output(stream: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return stream[-1]["response"]["output"]


def test_a_response_begins_with_created_and_in_progress() -> None:
    created, in_progress = new_assembler().start()
    assert created.type == "response.created"
    assert in_progress.type == "response.in_progress"


def test_a_text_is_one_message_with_one_part() -> None:
    stream = assemble(d.Text("Hel"), d.Text("lo"), d.Finished())
    assert told(stream) == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
    ]
    assert output(stream) == [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
            ],
        }
    ]


def test_an_empty_text_opens_nothing() -> None:
    assert told(assemble(d.Text(""), d.Refusal(""), d.Thought(""), d.Finished())) == []


def test_a_refusal_after_text_is_a_second_part_of_the_same_message() -> None:
    (message,) = output(assemble(d.Text("Well"), d.Refusal("No"), d.Refusal("!"), d.Finished()))
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert message["content"][1]["refusal"] == "No!"


def test_text_of_another_key_is_another_message() -> None:
    items = output(assemble(d.Text("a", key=0), d.Text("b", key=1), d.Finished()))
    assert [item["content"][0]["text"] for item in items] == ["a", "b"]


def test_more_of_a_closed_message_is_a_new_message() -> None:
    stream = assemble(
        d.Text("a"), d.ToolCall(key=0, call_id="c", name="f"), d.Text("b"), d.Finished()
    )
    assert [item["type"] for item in output(stream)] == ["message", "function_call", "message"]


def test_annotations_are_told_and_counted_and_stay_with_their_part() -> None:
    other = msgspec.structs.replace(CITATION, title="Other")
    stream = assemble(d.Text("Hi"), d.Annotation(CITATION), d.Annotation(other), d.Finished())
    added = [e for e in stream if e["type"] == "response.output_text.annotation.added"]
    assert [event["annotation_index"] for event in added] == [0, 1]
    assert [event["annotation"]["title"] for event in added] == ["Example", "Other"]
    assert [a["title"] for a in output(stream)[0]["content"][0]["annotations"]] == [
        "Example",
        "Other",
    ]


def test_logprobs_go_with_the_next_text_and_are_repeated_at_its_end() -> None:
    first, second = Logprob(token="Hel", logprob=-0.5), Logprob(token="lo", logprob=-0.1)
    stream = assemble(
        d.Logprobs((first,)),
        d.Text("Hel"),
        d.Logprobs((second,)),
        d.Text("lo"),
        d.Text("!"),
        d.Finished(),
    )
    deltas = [e["logprobs"] for e in stream if e["type"] == "response.output_text.delta"]
    assert [[each["token"] for each in logprobs] for logprobs in deltas] == [["Hel"], ["lo"], []]
    (done,) = [e for e in stream if e["type"] == "response.output_text.done"]
    assert done["logprobs"] == deltas[0] + deltas[1]
    assert output(stream)[0]["content"][0]["logprobs"] == done["logprobs"]


def test_raw_reasoning_is_content_and_ends_when_the_text_begins() -> None:
    stream = assemble(d.Thought("hm"), d.Text("Hi"), d.Finished())
    assert told(stream)[:7] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
    ]
    assert output(stream)[0]["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert output(stream)[0]["summary"] == []


def test_a_reasoning_summary_is_not_content() -> None:
    stream = assemble(d.Thought("hm", kind="summary"), d.Finished())
    assert told(stream) == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert output(stream)[0]["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert "content" not in output(stream)[0]


def test_raw_reasoning_and_its_summary_count_their_parts_apart() -> None:
    (item,) = output(
        assemble(
            d.Thought("raw"),
            d.Thought("short", kind="summary"),
            d.Thought("raw again"),
            d.Finished(),
        )
    )
    assert [part["text"] for part in item["content"]] == ["raw", "raw again"]
    assert [part["text"] for part in item["summary"]] == ["short"]


def test_the_last_carrier_is_the_encrypted_content_of_the_done_item() -> None:
    stream = assemble(d.Thought("hm", carrier="old"), d.Thought(carrier="new"), d.Finished())
    assert "encrypted_content" not in stream[2]["item"]
    assert stream[-2]["item"]["encrypted_content"] == "new"
    assert output(stream)[0]["encrypted_content"] == "new"


def test_a_carrier_alone_is_a_reasoning_item_without_parts() -> None:
    stream = assemble(d.Thought(carrier="sealed"), d.Finished())
    assert told(stream) == ["output_item.added", "output_item.done"]


def test_parallel_calls_interleave_and_stay_open() -> None:
    stream = assemble(
        d.ToolCall(key=0, call_id="a", name="f", arguments='{"x"'),
        d.ToolCall(key=1, call_id="b", name="g", arguments="{"),
        d.ToolCall(key=0, arguments=":1}"),
        d.ToolCall(key=1, arguments="}"),
        d.Finished(),
    )
    assert [e["output_index"] for e in stream if e["type"].endswith("arguments.delta")] == [
        0,
        1,
        0,
        1,
    ]
    assert [(item["call_id"], item["arguments"]) for item in output(stream)] == [
        ("a", '{"x":1}'),
        ("b", "{}"),
    ]


def test_a_message_ends_when_a_call_begins() -> None:
    stream = assemble(d.Text("Hi"), d.ToolCall(key=0, call_id="a", name="f"), d.Finished())
    added = [place for place, kind in enumerate(told(stream)) if kind == "output_item.added"]
    done = [place for place, kind in enumerate(told(stream)) if kind == "output_item.done"]
    assert done[0] < added[1]


def test_more_arguments_of_a_closed_call_are_an_error() -> None:
    assembler = new_assembler()
    assembler.feed(d.ToolCall(key=0, call_id="a", name="f", arguments="{}"))
    assembler.feed(d.Text("done"))
    with pytest.raises(UpstreamProtocolError, match="tool call 0 after its end"):
        assembler.feed(d.ToolCall(key=0, arguments="{}"))


def test_a_closed_call_may_be_named_again_without_arguments() -> None:
    stream = assemble(
        d.ToolCall(key=0, call_id="a", name="f"),
        d.Text("done"),
        d.ToolCall(key=0, call_id="a", name="f"),
        d.Finished(),
    )
    assert [item["type"] for item in output(stream)] == ["function_call", "message"]


def test_a_call_without_a_call_id_is_given_one() -> None:
    (item,) = output(assemble(d.ToolCall(key=0, name="f"), d.Finished()))
    assert item["call_id"].startswith("call_")


def test_a_repeated_call_id_is_replaced() -> None:
    first, second = output(
        assemble(
            d.ToolCall(key=0, call_id="call_0", name="f"),
            d.ToolCall(key=1, call_id="call_0", name="f"),
            d.Finished(),
        )
    )
    assert first["call_id"] == "call_0"
    assert second["call_id"] not in ("call_0", second["id"])


def test_a_call_waits_for_its_name_with_what_it_has() -> None:
    stream = assemble(
        d.ToolCall(key=0, call_id="a", arguments="{"),
        d.ToolCall(key=0, arguments='"x"'),
        d.ToolCall(key=0, name="f", arguments=":1}"),
        d.Finished(),
    )
    assert told(stream)[:2] == ["output_item.added", "function_call_arguments.delta"]
    assert output(stream)[0]["arguments"] == '{"x":1}'
    assert output(stream)[0]["call_id"] == "a"


def test_a_call_that_is_never_named_is_a_failure() -> None:
    stream = assemble(d.ToolCall(key=0, call_id="a", arguments="{}"), d.Finished())
    assert stream[-1]["type"] == "response.failed"
    assert stream[-2]["code"] == "upstream_protocol_error"


def test_a_call_that_is_cut_before_its_name_is_left_out() -> None:
    stream = assemble(d.ToolCall(key=0, call_id="a"), d.Finished("max_output_tokens"))
    assert stream[-1]["type"] == "response.incomplete"
    assert output(stream) == []


def test_empty_arguments_become_an_empty_object() -> None:
    stream = assemble(d.ToolCall(key=0, call_id="a", name="f"), d.Finished())
    assert output(stream)[0]["arguments"] == "{}"
    assert "".join(e["delta"] for e in stream if e["type"].endswith("arguments.delta")) == "{}"


def test_arguments_that_were_cut_stay_as_they_are() -> None:
    (item,) = output(
        assemble(d.ToolCall(key=0, call_id="a", name="f"), d.Finished("max_output_tokens"))
    )
    assert item["arguments"] == ""
    assert item["status"] == "incomplete"


def test_the_same_key_of_two_kinds_is_two_blocks() -> None:
    items = output(
        assemble(
            d.Thought("a", key=0),
            d.Text("b", key=0),
            d.ToolCall(key=0, call_id="c", name="f"),
            d.Finished(),
        )
    )
    assert [item["type"] for item in items] == ["reasoning", "message", "function_call"]


def test_a_complete_item_passes_verbatim_under_its_own_id() -> None:
    request = McpApprovalRequest(id="mcpr_9", name="buy", arguments="{}", server_label="shop")
    stream = assemble(d.Text("Hi"), d.Item(request), d.Finished())
    assert told(stream)[-2:] == ["output_item.added", "output_item.done"]
    assert stream[-3]["item"] == stream[-2]["item"] == msgspec.to_builtins(request)


def test_a_complete_item_without_an_id_is_given_one() -> None:
    (item,) = output(assemble(d.Item(WebSearchCall(status="completed")), d.Finished()))
    assert item == {"type": "web_search_call", "status": "completed", "id": "ws_1"}


def test_a_search_is_told_step_by_step() -> None:
    stream = assemble(d.Item(WebSearchCall(status="completed")), d.Finished())
    steps = [kind for kind in told(stream) if kind.startswith("web_search_call")]
    assert steps == [
        f"web_search_call.{step}" for step in ("in_progress", "searching", "completed")
    ]


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_code_that_ran_is_told_before_its_end(status: str) -> None:
    item = CodeInterpreterCall(container_id="cntr_1", status=status, code="6 * 7", outputs=())
    stream = assemble(d.Item(item), d.Finished())
    assert stream[2]["item"] | {"code": "", "outputs": None} == stream[2]["item"]
    assert told(stream)[1:-1] == [
        "code_interpreter_call.in_progress",
        "code_interpreter_call_code.delta",
        "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting",
        *(["code_interpreter_call.completed"] if status == "completed" else []),
    ]
    assert output(stream)[0]["code"] == "6 * 7"


def test_a_complete_item_of_an_unknown_type_passes() -> None:
    item = Unknown({"type": "acme:thing", "id": "x_1", "weight": 3})
    assert output(assemble(d.Item(item), d.Finished())) == [item]


def test_two_complete_items_of_one_id_are_told_apart() -> None:
    item = WebSearchCall(id="ws_0", status="completed")
    first, second = output(assemble(d.Item(item), d.Item(item), d.Finished()))
    assert first["id"] != second["id"]


def test_a_complete_call_brings_its_arguments_in_events() -> None:
    stream = assemble(
        d.Item(FunctionCall(call_id="a", name="f", arguments='{"x":1}')),
        d.Item(CustomToolCall(call_id="b", name="g", input="ls")),
        d.Finished(),
    )
    assert told(stream) == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]


def test_a_complete_message_brings_its_parts_in_events() -> None:
    said = OutputText(text="Hi", annotations=(CITATION,))
    message = Message(role="assistant", content=(said,), status="completed", phase="commentary")
    stream = assemble(d.Item(message), d.Finished())
    assert stream[2]["item"]["content"] == []
    assert told(stream)[1:-1] == [
        "content_part.added",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
    ]
    assert output(stream)[0]["phase"] == "commentary"


def test_a_complete_message_keeps_a_part_of_an_unknown_type() -> None:
    part = Unknown({"type": "acme:part", "n": 1})
    stream = assemble(d.Item(Message(role="assistant", content=(part,))), d.Finished())
    assert told(stream)[1:-1] == ["content_part.added", "content_part.done"]
    assert output(stream)[0]["content"] == [part]


def test_an_annotation_before_any_text_opens_the_message() -> None:
    (item,) = output(assemble(d.Annotation(CITATION), d.Text("Hi"), d.Finished()))
    assert item["content"][0]["text"] == "Hi"


def test_a_complete_message_may_be_a_bare_text() -> None:
    (item,) = output(assemble(d.Item(Message(role="assistant", content="Hi")), d.Finished()))
    assert item["content"][0]["text"] == "Hi"


def test_a_complete_reasoning_item_brings_its_summary_in_events() -> None:
    item = Reasoning(summary=(SummaryText(text="hm"),), encrypted_content="sealed")
    stream = assemble(d.Item(item), d.Finished())
    assert "encrypted_content" not in stream[2]["item"]
    assert "reasoning_summary_text.delta" in told(stream)


@pytest.mark.parametrize(
    ("item", "field", "empty"),
    [
        (McpCall(name="m", arguments="{}", server_label="s", output="ok"), "output", None),
        (McpListTools(server_label="s", tools=(McpListedTool(name="m"),)), "tools", []),
        (Program(call_id="a", code="1 + 1"), "code", ""),
    ],
    ids=["mcp_call", "mcp_list_tools", "program"],
)
def test_a_complete_item_is_announced_without_its_result(
    item: OutputItem, field: str, empty: object
) -> None:
    stream = assemble(d.Item(item), d.Finished())
    assert stream[2]["item"][field] == empty
    assert output(stream)[0][field] not in (empty, None)


def test_calls_stay_open_around_a_complete_item() -> None:
    stream = assemble(
        d.ToolCall(key=0, call_id="a", name="f", arguments="{"),
        d.Item(WebSearchCall(status="completed")),
        d.ToolCall(key=0, arguments="}"),
        d.Finished(),
    )
    assert [item["type"] for item in output(stream)] == ["function_call", "web_search_call"]


def test_a_completed_response_says_when() -> None:
    response = assemble(d.Text("Hi"), d.Finished())[-1]["response"]
    assert response["status"] == "completed"
    assert response["completed_at"] == 107
    assert response["incomplete_details"] is None


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
def test_a_response_that_was_stopped_is_incomplete(reason: d.FinishReason) -> None:
    stream = assemble(d.Thought("hm"), d.Text("Hi"), d.Finished(reason))
    response = stream[-1]["response"]
    assert stream[-1]["type"] == "response.incomplete"
    assert response["incomplete_details"] == {"reason": reason}
    assert response["completed_at"] is None
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]


def test_the_last_usage_counts_even_after_the_end_marker() -> None:
    first = Usage(input_tokens=1, output_tokens=1, total_tokens=2)
    cached = InputTokensDetails(cached_tokens=3)
    last = Usage(input_tokens=7, output_tokens=2, total_tokens=9, input_tokens_details=cached)
    stream = assemble(d.Used(first), d.Text("Hi"), d.Finished(), d.Used(last))
    assert stream[-1]["response"]["usage"] == msgspec.to_builtins(last)


def test_usage_that_nobody_told_is_zero() -> None:
    usage = assemble(d.Text("Hi"), d.Finished())[-1]["response"]["usage"]
    assert usage == {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }


def test_nothing_but_usage_counts_after_the_end_marker() -> None:
    stream = assemble(d.Text("Hi"), d.Finished(), d.Text("!"), d.Finished("content_filter"))
    assert stream[-1]["type"] == "response.completed"
    assert output(stream)[0]["content"][0]["text"] == "Hi"


def test_calls_end_with_the_end_marker_and_do_not_wait_for_usage() -> None:
    assembler = new_assembler()
    assembler.feed(d.Text("Hi"))
    assembler.feed(d.ToolCall(key=0, call_id="a", name="f"))
    assert assembler.feed(d.Finished())[-1].type == "response.output_item.done"
    assert assembler.finished


def test_a_stream_without_an_end_marker_has_failed() -> None:
    stream = assemble(d.Text("Hi"))
    assert [event["type"] for event in stream[-2:]] == ["error", "response.failed"]
    assert stream[-2]["code"] == "upstream_protocol_error"
    assert output(stream)[0]["status"] == "incomplete"


def test_an_error_is_told_flat_and_nested_and_by_the_response() -> None:
    assembler = new_assembler()
    events = assembler.start() + assembler.feed(d.Text("Hi"))
    stream = wire(events + assembler.fail(UpstreamUnavailableError("the provider is overloaded")))
    assert violations(stream) == []
    error, failed = stream[-2:]
    assert error == {
        "type": "error",
        "code": "overloaded",
        "message": "the provider is overloaded",
        "param": None,
        "error": {
            "type": "server_error",
            "code": "overloaded",
            "message": "the provider is overloaded",
            "param": None,
        },
        "sequence_number": error["sequence_number"],
    }
    assert failed["response"]["error"] == {
        "code": "server_error",
        "message": "the provider is overloaded",
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpstreamRateLimitError("slow down"), "rate_limit_exceeded"),
        (UpstreamRateLimitError("pay first", code="insufficient_quota"), "rate_limit_exceeded"),
        (UpstreamRejectedError("no such parameter"), "invalid_prompt"),
        (UpstreamRejectedError("too large", code="image_too_large"), "image_too_large"),
        (UpstreamUnavailableError("overloaded"), "server_error"),
        (GatewayError("a bug"), "server_error"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.message,
)
def test_a_failed_response_has_a_code_that_openai_knows(error: GatewayError, code: str) -> None:
    assembler = new_assembler()
    assembler.start()
    assembler.fail(error)
    assert assembler.response.error is not None
    assert assembler.response.error.code == code


def test_nothing_comes_after_the_end() -> None:
    assembler = new_assembler()
    assembler.start()
    assembler.feed(d.Finished())
    assert assembler.finish()
    late = UpstreamProtocolError("late")
    assert assembler.finish() == assembler.fail(late) == assembler.feed(d.Text("late")) == []
    assert assembler.response.status == "completed"


def test_the_response_so_far_has_the_items_so_far() -> None:
    assembler = new_assembler()
    assembler.feed(d.Thought("hm"))
    assembler.feed(d.Text("Hi"))
    assert [item.type for item in assembler.response.output] == ["reasoning"]
    assert assembler.response.status == "in_progress"


def test_a_custom_call_streams_its_input_beside_other_calls() -> None:
    stream = assemble(
        d.CustomCall(key=0, call_id="a", name="patch", input="*** Begin"),
        d.ToolCall(key=0, call_id="b", name="f", arguments="{}", namespace="files"),
        d.CustomCall(key=0, input=" Patch"),
        d.Finished(),
    )
    assert told(stream) == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "output_item.added",
        "function_call_arguments.delta",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "function_call_arguments.done",
        "output_item.done",
    ]
    custom, function = output(stream)
    assert custom["id"].startswith("ctc_")
    assert (custom["call_id"], custom["name"], custom["input"]) == ("a", "patch", "*** Begin Patch")
    assert (function["call_id"], function["namespace"]) == ("b", "files")


def test_a_custom_call_without_input_has_none() -> None:
    (item,) = output(assemble(d.CustomCall(key=0, call_id="a", name="now"), d.Finished()))
    assert (item["type"], item["input"]) == ("custom_tool_call", "")


def test_a_source_that_comes_after_the_end_marker_still_counts() -> None:
    (item,) = output(assemble(d.Text("Hi"), d.Finished(), d.Annotation(CITATION), d.Used(Usage())))
    assert item["content"][0]["annotations"] == [
        {"type": "url_citation", "url": CITATION.url, "title": CITATION.title}
        | {"start_index": 0, "end_index": 2}
    ]


def test_after_the_end_marker_nothing_else_is_said() -> None:
    other = d.Annotation(CITATION, key="another message")
    stream = assemble(d.Text("Hi"), d.Finished(), d.Text("!"), other, d.ToolCall(0, "c", "f"))
    assert [part["text"] for part in output(stream)[0]["content"]] == ["Hi"]
    assert output(stream)[0]["content"][0]["annotations"] == []
