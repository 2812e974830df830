"""A native upstream, read as deltas: nothing that it says is lost, or told twice.

Where the corpus of recordings is there, all recorded answers are read, too.
"""

from __future__ import annotations

import json
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.core.reading import Reading
from gateway.errors import (
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.plugin import Call, Deployment
from gateway.plugin.manager import Plugins
from gateway.stream import deltas as d
from gateway.stream.assembler import Assembler
from gateway.stream.frames import Frame, Framing, WholeBody
from gateway.stream.lifecycle import violations
from gateway.stream.sse import SSEDecoder
from gateway.types.items import OutputItem
from gateway.types.open import lenient_hook
from gateway.types.request import Request, decode_request
from gateway.types.response import Response
from gateway.types.wire import encode

# One tells in pieces what it does not say at the end, the other is still at work in the background.
UNLIKE = {
    "openai-resp-stream-shell-container-1-0",
    "openai-resp-json-background-mode-with-tool-vcr-3",
}
CASES = Path(__file__).parents[2] / "../shared/corpus/cases"
DEPLOYMENT = Deployment(
    alias="fast", provider="openai", model="gpt-x", account="a", base_url="https://x.test/v1"
)
NATIVE: Any = Plugins().providers()["openai"].dialect
READING = Reading(NATIVE)


def call(request: Request | None = None) -> Call:
    return Call(request=request or Request(), model="gpt-x", deployment=DEPLOYMENT)


def chunks(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def read(body: bytes, *, framing: Framing | None = None, size: int = 1 << 30) -> list[Any]:
    """Return the events that the answer `body` comes to."""
    framing = framing or SSEDecoder()
    numbers = count()
    assembler = Assembler(
        Response(id="resp_1", created_at=0, model="fast"),
        lambda prefix: f"{prefix}_{next(numbers)}",
    )
    translator = READING.translator(call())
    events = assembler.start()
    try:
        for chunk in [*chunks(body, size), None]:
            for frame in framing.close() if chunk is None else framing.feed(chunk):
                for delta in translator.feed(frame):
                    events += assembler.feed(delta)
        events += assembler.finish()
    except UpstreamError as error:
        events += assembler.fail(error)
    return [json.loads(encode(event)) for event in events]


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def deltas(*events: dict[str, Any]) -> list[d.Delta]:
    translator = READING.translator(call())
    frames = [Frame(json.dumps(event).encode()) for event in events]
    return [delta for frame in frames for delta in translator.feed(frame)]


# --- recorded answers ---


def recorded(*, streamed: bool) -> list[Any]:
    found: list[Any] = []
    for path in sorted(CASES.glob("*/*/meta.json")):
        meta = json.loads(path.read_bytes())
        wanted = (meta["api"], meta["status"], meta["stream"]) == ("responses", 200, streamed)
        if wanted and path.parent.name not in UNLIKE:
            found.append(
                pytest.param((path.parent / "response.body").read_bytes(), id=path.parent.name)
            )
    skipped = pytest.mark.skip(reason="the corpus of recordings is not next to this checkout")
    return found or [pytest.param(b"", marks=skipped)]


def expected(body: bytes) -> dict[str, Any]:
    """Return the response that a recorded stream comes to: its last one, with the items as they
    were done.
    """
    frames = [*(decoder := SSEDecoder()).feed(body), *decoder.close()]
    events = [json.loads(frame.data) for frame in frames if frame.data != b"[DONE]"]
    done = [event for event in events if event["type"] == "response.output_item.done"]
    items = [event["item"] for event in sorted(done, key=itemgetter("output_index"))]
    final = next(event["response"] for event in reversed(events) if "response" in event)
    return {**final, "output": items or final["output"]}


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """Return what of an item must be the same: no id of ours, no state that goes without saying."""
    mine = {"message", "reasoning", "function_call", "custom_tool_call"}
    left_out = {"status", "encrypted_content"} | ({"id"} if item["type"] in mine else set())
    known = json.loads(encode(msgspec.convert(item, OutputItem, dec_hook=lenient_hook)))
    kept = {name: value for name, value in known.items() if name not in left_out and value}
    if item["type"] == "message":
        kept["content"] = [_plain_part(part) for part in known["content"]]
    return kept


def _plain_part(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part without what differs between two accounts of it: probabilities are rounded."""
    tokens = [logprob["token"] for logprob in part.get("logprobs") or ()]
    return {name: value for name, value in {**part, "logprobs": tokens}.items() if value}


def is_said(item: dict[str, Any]) -> bool:
    """Say whether there is anything in an item: many vendors tell that there was reasoning."""
    if item["type"] == "reasoning":
        return bool(item.get("summary") or item.get("content") or item.get("encrypted_content"))
    return True


def assert_same(response: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert response["status"] == theirs["status"]
    if theirs["status"] == "failed":
        assert response["error"]["code"] == theirs["error"]["code"]
    output = [plain(item) for item in response["output"]]
    assert output == [plain(item) for item in theirs["output"] if is_said(item)]
    if theirs.get("usage"):
        names = ("input_tokens", "output_tokens", "total_tokens")
        assert [response["usage"][name] for name in names] == [
            theirs["usage"][name] for name in names
        ]
    assert (response["incomplete_details"] or {}) == (theirs.get("incomplete_details") or {})


@pytest.mark.parametrize("size", [1 << 30, 7], ids=["whole", "in pieces"])
@pytest.mark.parametrize("body", recorded(streamed=True))
def test_a_recorded_stream_says_the_same(body: bytes, size: int) -> None:
    events = read(body, size=size)
    assert violations(events) == []
    assert_same(events[-1]["response"], expected(body))


@pytest.mark.parametrize("body", recorded(streamed=False))
def test_a_recorded_response_says_the_same(body: bytes) -> None:
    events = read(body, framing=WholeBody())
    assert violations(events) == []
    assert_same(events[-1]["response"], json.loads(body))


# --- what is said in other ways; invented ---


def added(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def ended(*output: dict[str, Any], status: str = "completed", **members: Any) -> dict[str, Any]:
    response = {"id": "resp_up", "status": status, "output": output, **members}
    return {"type": f"response.{status}", "response": response}


def said(kind: str, delta: str, index: int = 0, **members: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": index, "delta": delta, **members}


def message(*texts: str, **members: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **members}


CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""}


def test_what_is_only_in_the_final_response_is_told_once() -> None:
    whole = message("Luna slept.")
    assert deltas(added(whole), ended(whole)) == [d.Text("Luna slept.", 0), d.Finished()]
    told = deltas(said("output_text", "Luna"), done(whole), ended(whole))
    assert told == [d.Text("Luna", 0), d.Text(" slept.", 0), d.Finished()]
    renamed = {**whole, "id": "msg_2"}
    assert deltas(done(whole), ended(renamed)) == [d.Text("Luna slept.", 0), d.Finished()]
    without_index = {"type": "response.output_item.done", "item": whole}
    assert deltas(without_index, ended(whole)) == [d.Text("Luna slept.", "msg_1"), d.Finished()]
    assert deltas(done(whole), ended()) == [d.Text("Luna slept.", 0), d.Finished()]


def test_parts_are_known_by_their_order_and_stay_apart() -> None:
    body = stream(
        said("output_text", "one", content_index=3),
        said("output_text", "two", content_index=5),
        done(message("one", "two", "three", phase="commentary")),
        said("reasoning_summary_text", "a", 1, summary_index=0),
        said("reasoning_summary_text", "b", 1, summary_index=1),
        done({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}, 1),
        ended(),
    )
    response = read(body)[-1]["response"]
    texts = [part["text"] for part in response["output"][0]["content"]]
    assert texts == ["one", "two", "three"]
    assert [part["text"] for part in response["output"][1]["summary"]] == ["a", "b"]
    assert response["output"][1]["encrypted_content"] == "x"


def test_a_message_keeps_its_phase() -> None:
    begun = message(phase="commentary")
    assert deltas(added(begun), said("output_text", "I")) == [d.Text("I", 0, 0, "commentary")]
    assert deltas(done(message("I", phase="final_answer"))) == [d.Text("I", 0, 0, "final_answer")]


def test_citations_that_were_told_are_not_told_again() -> None:
    citation = {"type": "url_citation", "url": "https://a.test", "title": "A"}
    citations = [{**citation, "start_index": 0, "end_index": end} for end in (1, 2)]
    whole = message("Luna")
    whole["content"][0]["annotations"] = citations
    event = {"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0}
    told = deltas(said("output_text", "Luna"), {**event, "annotation": citations[0]}, done(whole))
    ends = [one.annotation for one in told if isinstance(one, d.Annotation)]
    assert [getattr(one, "end_index", None) for one in ends] == [1, 2]


@pytest.mark.parametrize(
    "events",
    [
        [
            added(CALL),
            said("function_call_arguments", '{"a"'),
            said("function_call_arguments", ":1}"),
        ],
        [added({**CALL, "arguments": '{"a":1}'})],
        [said("function_call_arguments", '{"a":1}')],
        [],
    ],
    ids=["in pieces", "begun whole", "begun late", "only whole"],
)
def test_a_call_is_told_once(events: list[dict[str, Any]]) -> None:
    whole = {**CALL, "arguments": '{"a":1}', "namespace": "crm"}
    output = read(stream(*events, done(whole), ended(whole)))[-1]["response"]["output"]
    assert [(item["name"], item["call_id"], item["arguments"]) for item in output] == [
        ("f", "call_1", '{"a":1}')
    ]


def test_a_call_that_a_program_made_is_handed_over_whole() -> None:
    whole = {**CALL, "caller": {"type": "program", "caller_id": "call_0"}, "arguments": "{}"}
    told = deltas(added(whole), said("function_call_arguments", "{}"), done(whole), ended(whole))
    assert [type(delta) for delta in told] == [d.Item, d.Finished]


def test_tools_of_the_upstream_are_told_of_while_they_work() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "in_progress", "action": None}
    found = {**search, "status": "completed", "action": {"type": "search", "query": "a"}}
    code = {"type": "code_interpreter_call", "id": "ci_1", "container_id": "c", "code": ""}
    told = deltas(
        added(search),
        added(code, 1),
        said("code_interpreter_call_code", "1+1", 1),
        done(found),
        done({**code, "code": "1+1"}, 1),
    )
    assert [(type(delta), getattr(delta, "key", None)) for delta in told] == [
        (d.Hosted, "ws_1"),
        (d.Hosted, "ci_1"),
        (d.HostedArguments, "ci_1"),
        (d.HostedEnd, "ws_1"),
        (d.HostedEnd, "ci_1"),
    ]


def test_a_search_of_the_server_needs_no_call_id() -> None:
    search = {"type": "tool_search_call", "id": "tsc_1", "execution": "server", "arguments": {}}
    output = read(stream(done({**search, "call_id": None}), ended()))[-1]["response"]["output"]
    assert output[0]["call_id"] is None


@pytest.mark.parametrize(
    ("ending", "delta"),
    [
        (ended(), d.Finished()),
        (ended(status="incomplete"), d.Finished("max_output_tokens")),
        (
            ended(status="incomplete", incomplete_details={"reason": "content_filter"}),
            d.Finished("content_filter"),
        ),
        (
            {**ended(status="incomplete"), "type": "response.completed"},
            d.Finished("max_output_tokens"),
        ),
        (ended(status="completed")["response"], d.Finished()),
    ],
    ids=["completed", "incomplete", "filtered", "by its status", "whole"],
)
def test_the_end_says_why(ending: dict[str, Any], delta: d.Delta) -> None:
    assert deltas(ending)[-1] == delta


def test_a_response_that_is_not_at_its_end_has_none() -> None:
    assert deltas(ended(status="in_progress")["response"]) == []


RATE = {"code": "rate_limit_exceeded", "message": "slow down", "type": "tokens", "param": None}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "error": RATE}, UpstreamRateLimitError),
        ({**RATE, "type": "error"}, UpstreamRateLimitError),
        ({"error": RATE}, UpstreamRateLimitError),
        (ended(status="failed", error=RATE), UpstreamRateLimitError),
        (ended(status="failed", error=RATE)["response"], UpstreamRateLimitError),
        (
            ended(status="failed", error={"code": "invalid_prompt", "message": "?"}),
            UpstreamRejectedError,
        ),
        (ended(status="failed", error={"code": "server_error"}), UpstreamUnavailableError),
        (ended(status="failed"), UpstreamUnavailableError),
        (ended(status="cancelled"), UpstreamUnavailableError),
    ],
)
def test_a_failure_is_raised_as_what_it_is(
    event: dict[str, Any], kind: type[UpstreamError]
) -> None:
    with pytest.raises(UpstreamError) as raised:
        deltas(event)
    assert type(raised.value) is kind
    if kind is UpstreamRateLimitError:
        assert raised.value.message == "slow down"


@pytest.mark.parametrize(
    "data",
    [
        b"[DONE]",
        b"",
        b"{}",
        b'{"type": "keepalive"}',
        b'{"type": "response.invented.delta", "delta": {"a": 1}, "item": 3, "output_index": null}',
        b'{"type": "response.output_item.added", "item": "?"}',
        b'{"type": "response.output_text.delta", "delta": null}',
    ],
)
def test_what_is_not_known_means_nothing(data: bytes) -> None:
    assert list(READING.translator(call()).feed(Frame(data))) == []


def test_the_name_of_a_frame_stands_in_for_the_type_of_its_event() -> None:
    frame = Frame(b'{"output_index": 0, "delta": "Luna"}', event="response.output_text.delta")
    assert list(READING.translator(call()).feed(frame)) == [d.Text("Luna", 0)]


# --- what is asked ---


def asked(*, carried: bool = True, **body: Any) -> dict[str, Any]:
    request = decode_request(json.dumps({"model": "fast", "input": "hello", **body}).encode())
    sent = Reading(NATIVE, carried=carried).encode(call(request))
    assert sent.url == "https://x.test/v1/responses"
    return json.loads(sent.body)


def test_a_request_leaves_nothing_at_the_upstream_and_needs_nothing_there() -> None:
    body = asked(
        store=True,
        background=True,
        previous_response_id="resp_1",
        context_management=[{"type": "compaction", "compact_threshold": 10}],
        temperature=0.5,
        metadata={"a": "b"},
        tools=[{"type": "web_search"}, {"type": "invented", "a": 1}],
        include=["web_search_call.action.sources"],
    )
    assert body == {
        "model": "gpt-x",
        "input": "hello",
        "store": False,
        "stream": True,
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "tools": [{"type": "web_search"}, {"type": "invented", "a": 1}],
        "include": ["web_search_call.action.sources", "reasoning.encrypted_content"],
    }


def test_what_is_wanted_back_of_reasoning_is_asked_for_unless_it_is_refused() -> None:
    carriers = "reasoning.encrypted_content"
    assert asked()["include"] == [carriers]
    assert asked(include=[carriers])["include"] == [carriers]
    assert "include" not in asked(carried=False)
    assert asked(carried=False, include=[carriers])["include"] == [carriers]


def test_items_are_told_without_ids_that_the_upstream_would_look_for() -> None:
    encrypted = {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}
    invented = {"type": "invented", "id": "in_1"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
    items = [
        message("Luna", status="completed", phase="commentary"),
        {**encrypted, "id": "rs_1", "status": "completed"},
        {"type": "reasoning", "id": "rs_2", "summary": [{"type": "summary_text", "text": "hm"}]},
        {**CALL, "status": "completed"},
        {**output, "id": "fco_1"},
        search,
        invented,
    ]
    told = message("Luna", phase="commentary")
    told["content"][0]["logprobs"] = []
    assert asked(input=items)["input"] == [
        {name: value for name, value in told.items() if name != "id"},
        encrypted,
        {name: value for name, value in CALL.items() if name != "id"},
        output,
        search,
        invented,
    ]


def test_only_calls_of_mcp_servers_are_emulated() -> None:
    mcp_call = {
        "type": "mcp_call",
        "id": "mcp_1",
        "name": "f",
        "arguments": "{}",
        "server_label": "l",
    }
    items = [mcp_call, message("Luna"), {"type": "invented"}, {"type": "item_reference", "id": "a"}]
    body: dict[str, Any] = {"input": items, "tools": [{"type": "invented"}], "include": ["a"]}

    def judged(**more: Any) -> list[tuple[str, str]]:
        request = decode_request(json.dumps({**body, **more}).encode())
        return [(one.action, one.param) for one in READING.check(request, DEPLOYMENT)]

    assert judged() == [("emulate", "input[0].type"), ("reject", "input[3].type")]
    theirs = {"type": "mcp", "server_label": "l", "server_url": "https://l.test"}
    assert judged(tools=[theirs]) == [("reject", "input[3].type")]
