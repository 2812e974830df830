"""What is told of tools at work: their steps, and how they go on beside the model and its turns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from gateway.errors import UpstreamProtocolError, UpstreamUnavailableError
from gateway.stream import deltas as d
from gateway.stream.assembler import Assembler
from gateway.stream.lifecycle import violations
from gateway.stream.sse import SSEDecoder, encode_frames
from gateway.testing import CountedIds
from gateway.types.content import Logprob
from gateway.types.hosted_items import McpListedTool
from gateway.types.items import (
    CodeInterpreterCall,
    FileSearchCall,
    ImageGenerationCall,
    LocalShellCall,
    McpCall,
    McpListTools,
    Message,
    OutputItem,
    WebSearchCall,
)
from gateway.types.open import Unknown, decode_hook
from gateway.types.response import Response

Stream = list[dict[str, Any]]

LISTING = McpListTools(server_label="shop")
LISTED = replace(LISTING, tools=(McpListedTool(name="find", annotations={"read_only": True}),))
CALL = McpCall(name="find", arguments="", server_label="shop", status="in_progress")
FOUND = replace(CALL, arguments='{"q":1}', output="a shoe", status="completed")
APPROVED = replace(CALL, approval_request_id="mcpr_9")
ERROR = {"type": "http_error", "code": 500, "message": "the server is broken"}
SEARCH = WebSearchCall(status="in_progress", action={"type": "search", "query": "shoes"})
PAUSE = None


def new_assembler() -> Assembler:
    ids = CountedIds()
    return Assembler(Response(id="resp_1", created_at=100, model="some"), ids.mint, ids.now)


def read(body: bytes) -> Stream:
    decoder = SSEDecoder()
    frames = decoder.feed(body) + decoder.close()
    return [msgspec.json.decode(frame.data) for frame in frames if frame.data != b"[DONE]"]


def assemble(steps: Iterable[d.Delta | None], *, failure: bool = False) -> Stream:
    """Return the events of an answer, with pauses, that ends well or fails: it keeps the rules."""
    assembler = new_assembler()
    events = assembler.start()
    for step in steps:
        events += assembler.pause() if step is None else assembler.feed(step)
    error = UpstreamUnavailableError("overloaded")
    events += assembler.fail(error) if failure else assembler.finish()
    stream = read(encode_frames(events))
    assert violations(stream) == []
    return stream


def told(stream: Stream, index: int = 0) -> list[str]:
    """Return the types of the events of the item at `index`."""
    owned = [event for event in stream if event.get("output_index") == index]
    return [event["type"].removeprefix("response.") for event in owned]


def output(stream: Stream) -> Stream:
    return stream[-1]["response"]["output"]


def test_a_listing_is_told_step_by_step() -> None:
    stream = assemble([d.Hosted("l", LISTING), d.HostedEnd("l", LISTED), d.Finished()])
    assert told(stream) == [
        "output_item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "output_item.done",
    ]
    assert stream[2]["item"]["tools"] == []
    assert output(stream)[0]["tools"] == [{"name": "find", "annotations": {"read_only": True}}]


def test_a_call_is_told_step_by_step() -> None:
    stream = assemble(
        [
            d.Hosted("c", CALL),
            d.HostedArguments("c", '{"q"'),
            d.HostedArguments("c", ":1}", complete=True),
            d.HostedEnd("c", FOUND),
            d.Finished(),
        ]
    )
    assert told(stream) == [
        "output_item.added",
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.completed",
        "output_item.done",
    ]
    assert stream[2]["item"] == msgspec.to_builtins(replace(CALL, id="mcp_0001"))
    assert output(stream) == [msgspec.to_builtins(replace(FOUND, id="mcp_0001"))]


def test_an_approved_call_goes_on_once_its_arguments_are_there() -> None:
    ended = replace(APPROVED, output="a shoe")
    stream = assemble(
        [
            d.Hosted("c", APPROVED),
            d.HostedArguments("c", "{}", complete=True),
            d.HostedEnd("c", ended),
            d.Finished(),
        ]
    )
    assert told(stream)[1:5] == [
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call.in_progress",
        "mcp_call_arguments.done",
    ]


@pytest.mark.parametrize(
    ("begun", "ended", "step"),
    [
        (CALL, replace(CALL, error=ERROR), "mcp_call.failed"),
        (CALL, replace(CALL, status="failed"), "mcp_call.failed"),
        (CALL, replace(CALL, error=ERROR, status="completed"), "mcp_call.failed"),
        (LISTING, replace(LISTING, error="no answer"), "mcp_list_tools.failed"),
        (SEARCH, replace(SEARCH, status="failed"), "web_search_call.searching"),
    ],
    ids=["error", "status", "error and status", "listing", "search"],
)
def test_a_failure_is_the_last_step_where_there_is_one_for_it(
    begun: OutputItem, ended: OutputItem, step: str
) -> None:
    stream = assemble([d.Hosted("c", begun), d.HostedEnd("c", ended), d.Finished()])
    assert told(stream)[-2:] == [step, "output_item.done"]
    assert output(stream)[0].get("status", "failed") == "failed"


@pytest.mark.parametrize(
    ("begun", "first", "last"),
    [
        (SEARCH, ["web_search_call.in_progress", "web_search_call.searching"], "web_search_call"),
        (
            FileSearchCall(status="searching"),
            ["file_search_call.in_progress", "file_search_call.searching"],
            "file_search_call",
        ),
        (
            ImageGenerationCall(),
            ["image_generation_call.in_progress", "image_generation_call.generating"],
            "image_generation_call",
        ),
        (
            CodeInterpreterCall(container_id="cntr_1"),
            ["code_interpreter_call.in_progress"],
            "code_interpreter_call",
        ),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_each_kind_of_tool_has_its_own_steps(
    begun: OutputItem, first: list[str], last: str
) -> None:
    assembler = new_assembler()
    events = assembler.start()
    at_begin = assembler.feed(d.Hosted("t", begun))
    assert [event.type.removeprefix("response.") for event in at_begin[1:]] == first
    events += at_begin + assembler.feed(d.HostedEnd("t", begun)) + assembler.feed(d.Finished())
    stream = read(encode_frames(events + assembler.finish()))
    assert violations(stream) == []
    assert told(stream)[-2:] == [f"{last}.completed", "output_item.done"]
    assert output(stream)[0]["status"] == "completed"


def test_code_is_written_like_arguments_and_runs_when_it_is_complete() -> None:
    item = CodeInterpreterCall(container_id="cntr_1")
    stream = assemble(
        [
            d.Hosted("c", item),
            d.HostedArguments("c", "1 + "),
            d.HostedArguments("c", "1", complete=True),
            d.HostedEnd("c", replace(item, outputs=({"type": "logs", "logs": "2"},))),
            d.Finished(),
        ]
    )
    assert told(stream)[-4:] == [
        "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting",
        "code_interpreter_call.completed",
        "output_item.done",
    ]
    assert output(stream)[0]["code"] == "1 + 1"


@pytest.mark.parametrize(
    "item",
    [
        Unknown({"type": "acme:work", "status": "in_progress"}),
        Message(role="assistant", content="Hi"),
    ],
)
def test_an_item_without_steps_is_added_and_told_at_its_end(item: OutputItem) -> None:
    stream = assemble([d.Hosted("t", item), d.HostedEnd("t", item), d.Finished()])
    assert told(stream)[0] == "output_item.added"
    assert output(stream)[0]["status"] == "completed"


def test_arguments_that_only_the_end_knows_are_told_then() -> None:
    stream = assemble([d.Hosted("c", CALL), d.HostedEnd("c", FOUND), d.Finished()])
    assert told(stream)[2:4] == ["mcp_call_arguments.delta", "mcp_call_arguments.done"]
    assert output(stream)[0]["arguments"] == '{"q":1}'


def test_arguments_that_the_begin_knows_are_told_at_once() -> None:
    begun = replace(CALL, arguments='{"q":1}')
    stream = assemble([d.Hosted("c", begun), d.HostedEnd("c", FOUND), d.Finished()])
    assert stream[2]["item"]["arguments"] == ""
    assert [e["delta"] for e in stream if e["type"].endswith("delta")] == ['{"q":1}']


def test_arguments_stay_as_they_were_told() -> None:
    stream = assemble(
        [
            d.Hosted("c", CALL),
            d.HostedArguments("c", '{"q": 1}', complete=True),
            d.HostedEnd("c", FOUND),
            d.Finished(),
        ]
    )
    assert output(stream)[0]["arguments"] == '{"q": 1}'


def test_no_arguments_are_an_empty_object() -> None:
    stream = assemble(
        [
            d.Hosted("c", CALL),
            d.HostedArguments("c", complete=True),
            d.HostedEnd("c", CALL),
            d.Finished(),
        ]
    )
    assert output(stream)[0]["arguments"] == "{}"


def test_a_fresh_id_is_kept_and_the_end_brings_none() -> None:
    begun = LocalShellCall(id="lsh_own", call_id="call_own", action={})
    ended = replace(begun, id="lsh_other", call_id="call_other", status="completed")
    (item,) = output(assemble([d.Hosted("c", begun), d.HostedEnd("c", ended), d.Finished()]))
    assert (item["id"], item["call_id"]) == ("lsh_own", "call_own")


def test_an_id_that_is_taken_is_replaced() -> None:
    begun = replace(CALL, id="mcp_own")
    ends = [d.HostedEnd("a", FOUND), d.HostedEnd("b", FOUND)]
    first, second = output(
        assemble([d.Hosted("a", begun), d.Hosted("b", begun), *ends, d.Finished()])
    )
    assert first["id"] == "mcp_own"
    assert second["id"].startswith("mcp_")
    assert second["id"] != "mcp_own"


def test_tools_end_in_any_order_and_stand_where_they_began() -> None:
    stream = assemble(
        [
            d.Hosted("a", CALL),
            d.Hosted("b", SEARCH),
            d.HostedEnd("b", SEARCH),
            d.HostedEnd("a", FOUND),
            d.Finished(),
        ]
    )
    done = [e["output_index"] for e in stream if e["type"] == "response.output_item.done"]
    assert done == [1, 0]
    assert [item["type"] for item in output(stream)] == ["mcp_call", "web_search_call"]


def test_a_tool_ends_what_was_being_said_and_leaves_calls_open() -> None:
    stream = assemble(
        [
            d.Text("Let me see."),
            d.Hosted("a", CALL),
            d.ToolCall("a", "call_a", "f", '{"x":'),
            d.Hosted("b", CALL),
            d.ToolCall("a", arguments="1}"),
            d.HostedEnd("b", FOUND),
            d.HostedEnd("a", FOUND),
            d.Finished(),
        ]
    )
    kinds = [event["type"].removeprefix("response.") for event in stream]
    assert kinds.index("output_item.done") < kinds.index("mcp_call.in_progress")
    assert output(stream)[2]["arguments"] == '{"x":1}'


def test_a_tool_may_end_after_the_end_marker_but_none_may_begin() -> None:
    stream = assemble(
        [
            d.Hosted("a", CALL),
            d.Finished(),
            d.HostedArguments("a", '{"q":1}', complete=True),
            d.HostedEnd("a", FOUND),
            d.Hosted("b", CALL),
        ]
    )
    assert [item["status"] for item in output(stream)] == ["completed"]


def test_the_response_so_far_leaves_out_tools_at_work() -> None:
    assembler = new_assembler()
    assembler.feed(d.Hosted("a", CALL))
    assert assembler.response.output == ()
    assembler.feed(d.HostedEnd("a", FOUND))
    assert [item.type for item in assembler.response.output] == ["mcp_call"]


@pytest.mark.parametrize(
    "steps",
    [
        [d.Hosted("a", CALL), d.Hosted("a", CALL)],
        [d.HostedArguments("a", "{}")],
        [d.HostedEnd("a", FOUND)],
        [d.Hosted("a", CALL), d.HostedEnd("a", FOUND), d.HostedEnd("a", FOUND)],
        [d.Hosted("a", SEARCH), d.HostedArguments("a", "{}")],
        [
            d.Hosted("a", CALL),
            d.HostedArguments("a", "{}", complete=True),
            d.HostedArguments("a", "{}"),
        ],
    ],
    ids=["begun twice", "not begun", "not begun, ended", "ended twice", "no arguments", "complete"],
)
def test_a_tool_that_is_not_where_it_should_be_is_an_error(steps: list[d.Delta]) -> None:
    assembler = new_assembler()
    *good, bad = steps
    for delta in good:
        assembler.feed(delta)
    with pytest.raises(UpstreamProtocolError):
        assembler.feed(bad)


@pytest.mark.parametrize("failure", [True, False])
@pytest.mark.parametrize(
    ("begun", "status", "last"),
    [
        (CALL, "incomplete", "mcp_call_arguments.done"),
        (APPROVED, "incomplete", "mcp_call_arguments.done"),
        (SEARCH, "incomplete", "web_search_call.searching"),
        (ImageGenerationCall(), "failed", "image_generation_call.generating"),
        (LISTING, None, "mcp_list_tools.failed"),
    ],
    ids=["call", "approved call", "search", "image", "listing"],
)
def test_a_tool_at_work_ends_with_the_response(
    begun: OutputItem, status: str | None, last: str, *, failure: bool
) -> None:
    stream = assemble([d.Hosted("t", begun), d.Finished("max_messages")], failure=failure)
    assert told(stream)[-2:] == [last, "output_item.done"]
    assert output(stream)[0].get("status") == status
    assert bool(output(stream)[0].get("error")) == (begun is LISTING)


@pytest.mark.parametrize("arguments", ["", '{"q'])
def test_arguments_that_were_cut_stay_as_they_are(arguments: str) -> None:
    steps = [d.Hosted("c", CALL), d.HostedArguments("c", arguments)]
    (item,) = output(assemble(steps, failure=True))
    assert item["arguments"] == arguments


def test_a_response_that_has_had_all_its_turns_is_incomplete() -> None:
    stream = assemble([d.Text("Hm"), d.Finished("max_messages")])
    assert stream[-1]["response"]["incomplete_details"] == {"reason": "max_messages"}


def test_after_a_pause_the_keys_mean_other_blocks() -> None:
    stream = assemble(
        [
            d.Text("One"),
            d.ToolCall(0, "call_a", "f", "{}"),
            d.Text("Two", key=1),
            d.ToolCall(1, "call_b", "f", "{}"),
            PAUSE,
            d.Text("Three"),
            PAUSE,
            d.Text("Four"),
            d.ToolCall(0, "call_a", "f", '{"x":1}'),
            d.Finished(),
        ]
    )
    calls = [item for item in output(stream) if item["type"] == "function_call"]
    assert [item["arguments"] for item in calls] == ["{}", "{}", '{"x":1}']
    assert len({item["call_id"] for item in calls}) == 3
    texts = [i["content"][0]["text"] for i in output(stream) if i["type"] == "message"]
    assert texts == ["One", "Two", "Three", "Four"]


def test_a_pause_completes_what_the_model_says_and_lets_tools_go_on() -> None:
    assembler = new_assembler()
    assembler.feed(d.Hosted("a", CALL))
    assembler.feed(d.ToolCall(0, "call_a", "f"))
    assembler.feed(d.Text("Hi"))
    types = [event.type for event in assembler.pause()]
    assert types[-1] == "response.output_item.done"
    assert [item.type for item in assembler.response.output] == ["function_call", "message"]
    assert assembler.feed(d.HostedEnd("a", FOUND))


@pytest.mark.parametrize("marker", [[d.Finished()], []], ids=["marked", "not marked"])
def test_after_a_pause_the_response_goes_on(marker: list[d.Delta]) -> None:
    assembler = new_assembler()
    for delta in (d.Text("Hi"), *marker):
        assembler.feed(delta)
    assembler.pause()
    assert not assembler.finished
    assert assembler.feed(d.Text("and"))
    assert assembler.pause()
    assert assembler.pause() == []


def test_logprobs_do_not_outlive_their_turn() -> None:
    logprobs = d.Logprobs((Logprob(token="a", logprob=-0.5),))
    stream = assemble([logprobs, PAUSE, d.Text("b"), d.Finished()])
    assert output(stream)[0]["content"][0]["logprobs"] == []


def test_a_pause_in_a_call_that_was_never_named_is_an_error() -> None:
    assembler = new_assembler()
    assembler.feed(d.ToolCall(0, "call_a", arguments="{}"))
    with pytest.raises(UpstreamProtocolError, match="without a name"):
        assembler.pause()


def test_there_is_no_pause_after_the_end() -> None:
    assembler = new_assembler()
    assembler.fail(UpstreamUnavailableError("overloaded"))
    assert assembler.pause() == []


@pytest.mark.parametrize(
    ("item", "steps"),
    [
        (FOUND, ["mcp_call.in_progress", "mcp_call.completed"]),
        (replace(FOUND, error=ERROR, status="failed"), ["mcp_call.in_progress", "mcp_call.failed"]),
        (replace(FOUND, status="incomplete"), ["mcp_call.in_progress"]),
        (LISTED, ["mcp_list_tools.in_progress", "mcp_list_tools.completed"]),
        (
            replace(LISTING, error="no answer"),
            ["mcp_list_tools.in_progress", "mcp_list_tools.failed"],
        ),
    ],
    ids=["call", "failed call", "cut call", "listing", "failed listing"],
)
def test_a_complete_item_is_told_step_by_step_too(item: OutputItem, steps: list[str]) -> None:
    stream = assemble([d.Item(item), d.Finished()])
    assert [kind for kind in told(stream) if kind.startswith(("mcp_call.", "mcp_list"))] == steps


CASES = Path(__file__).parents[2] / "../shared/corpus/cases/openai"
RECORDED = ["openai-resp-stream-mcp-tool-approval-2-0", "openai-resp-stream-mcp-tool-approval-4-0"]


def spoken(recorded: Stream) -> Iterable[d.Delta | None]:
    """Say with deltas what a recorded stream tells."""
    for event in recorded:
        key = event.get("output_index", 0)
        match event["type"].removeprefix("response."):
            case "output_item.added" | "output_item.done" as kind:
                yield from bracket(key, typed(event["item"]), is_done=kind.endswith("done"))
            case "mcp_call_arguments.delta":
                yield d.HostedArguments(key, event["delta"])
            case "mcp_call_arguments.done":
                yield d.HostedArguments(key, complete=True)
            case "output_text.delta":
                yield d.Text(event["delta"])
            case "completed":
                yield d.Finished()
            case _:
                pass


def bracket(key: int, item: OutputItem, *, is_done: bool) -> Iterable[d.Delta | None]:
    if item.type.startswith("mcp"):
        yield from (d.HostedEnd(key, item), PAUSE) if is_done else (d.Hosted(key, item),)
    elif item.type == "reasoning" and is_done:
        yield d.Item(item)


def typed(item: dict[str, Any]) -> OutputItem:
    return msgspec.convert(item, OutputItem, dec_hook=decode_hook)


@pytest.mark.parametrize("name", RECORDED)
def test_the_events_of_a_recorded_stream_come_again_one_by_one(name: str) -> None:
    path = CASES / name / "response.body"
    if not path.exists():
        pytest.skip("the corpus of recordings is not here")
    recorded = read(path.read_bytes())
    stream = assemble(spoken(recorded))
    assert [event["type"] for event in stream] == [event["type"] for event in recorded]
    for ours, theirs in zip(stream, recorded, strict=True):
        if "mcp" in theirs["type"] or theirs.get("item", {}).get("type", "").startswith("mcp"):
            theirs.pop("obfuscation", None)
            assert ours == theirs
