"""Whatever a provider says, in whatever order: the stream keeps the rules and loses nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import httpx2
import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from openai.types.responses import Response as OpenAIResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from gateway.errors import UpstreamProtocolError, UpstreamUnavailableError
from gateway.stream import deltas as d
from gateway.stream.assembler import Assembler
from gateway.stream.lifecycle import violations
from gateway.stream.sse import DONE, SSEDecoder, encode_frames
from gateway.types.content import (
    FileCitation,
    Logprob,
    OutputText,
    ReasoningText,
    Refusal,
    SummaryText,
    UrlCitation,
)
from gateway.types.events import Event
from gateway.types.items import (
    CodeInterpreterCall,
    CustomToolCall,
    FileSearchCall,
    FunctionCall,
    ImageGenerationCall,
    LocalShellCall,
    McpApprovalRequest,
    McpCall,
    McpListTools,
    Message,
    OutputItem,
    Reasoning,
    WebSearchCall,
)
from gateway.types.open import Unknown
from gateway.types.response import Response, Usage

TEXTS = st.sampled_from(["", "a", "caf\u00e9 ", "\n\n", '{"x":', "\U0001f600"])
KEYS = st.sampled_from(["text", 0, 1, "b"])
ANNOTATIONS = st.sampled_from(
    [
        UrlCitation(url="https://example.com", title="Example", start_index=0, end_index=1),
        FileCitation(file_id="file_1", filename="a.pdf", index=0),
    ]
)
ITEMS: st.SearchStrategy[OutputItem] = st.sampled_from(
    [
        Message(role="assistant", content="whole", status="completed"),
        Message(
            role="assistant",
            content=(OutputText(text="one"), Refusal(refusal="two")),
            status="completed",
        ),
        Reasoning(
            summary=(SummaryText(text="short"),),
            content=(ReasoningText(text="long"), ReasoningText(text="longer")),
            encrypted_content="sealed",
        ),
        FunctionCall(id="fc_own", call_id="call_a", name="f", arguments="{}", status="completed"),
        CustomToolCall(call_id="call_a", name="g", input="ls"),
        McpCall(name="m", arguments="{}", server_label="s", status="completed", output="ok"),
        McpListTools(id="mcpl_own", server_label="s"),
        McpApprovalRequest(id="mcpr_own", name="m", arguments="{}", server_label="s"),
        WebSearchCall(id="ws_own", status="completed", action={"type": "search", "query": "q"}),
    ]
)
STRANGE_ITEMS: st.SearchStrategy[OutputItem] = st.sampled_from(
    [Unknown({"type": "acme:thing", "id": "x_own"}), Unknown({"type": "acme:thing", "n": 1})]
)
ERROR = {"type": "http_error", "code": 500, "message": "broken"}
CALL = McpCall(name="m", arguments="", server_label="s")
APPROVED = msgspec.structs.replace(CALL, approval_request_id="mcpr_own")
LISTING = McpListTools(server_label="s")
SEARCH = WebSearchCall(id="ws_own", status="searching", action={"type": "search", "query": "q"})
CODE = CodeInterpreterCall(container_id="cntr_1")
SHELL = LocalShellCall(call_id="call_a", action={"type": "exec", "command": ["ls"], "env": {}})
TOOLS: dict[d.Key, tuple[OutputItem, ...]] = {
    0: (CALL, msgspec.structs.replace(CALL, arguments='{"x":', output="ok", status="completed")),
    1: (APPROVED, msgspec.structs.replace(APPROVED, error=ERROR)),
    "list": (LISTING, msgspec.structs.replace(LISTING, error="no answer")),
    "search": (SEARCH, msgspec.structs.replace(SEARCH, id="ws_other", status="failed")),
    "files": (FileSearchCall(status="in_progress"), FileSearchCall(status="completed")),
    "code": (CODE, msgspec.structs.replace(CODE, code="1 + 1", outputs=())),
    "image": (ImageGenerationCall(), ImageGenerationCall(result="AAAA", status="completed")),
    "shell": (SHELL, msgspec.structs.replace(SHELL, call_id="call_b", status="completed")),
}
"""How each tool may begin and end."""


class Pause(Struct, frozen=True):
    """The end of a turn of the model's, after which comes another."""


Step = d.Delta | Pause
TOOL_DELTAS: st.SearchStrategy[Step] = st.one_of(
    [st.builds(d.Hosted, st.just(key), st.sampled_from(items)) for key, items in TOOLS.items()]
    + [st.builds(d.HostedEnd, st.just(key), st.sampled_from(items)) for key, items in TOOLS.items()]
    + [st.builds(d.HostedArguments, st.sampled_from(list(TOOLS)), TEXTS, st.booleans())]
)
USAGE = st.builds(
    lambda read, written: Usage(
        input_tokens=read, output_tokens=written, total_tokens=read + written
    ),
    st.integers(0, 9),
    st.integers(0, 9),
)


def legal(said: list[Step]) -> list[Step]:
    """Return `said` without what is told of tools that are not at work, or are already."""
    kept: list[Step] = []
    complete: dict[d.Key, bool] = {}
    for step in said:
        match step:
            case d.Hosted(key=key):
                is_legal = key not in complete
                complete.setdefault(key, key not in (0, 1, "code"))
            case d.HostedArguments(key=key):
                is_legal = key in complete and not (complete[key] and step.arguments)
                complete |= {key: True} if is_legal and step.complete else {}
            case d.HostedEnd(key=key):
                is_legal = complete.pop(key, None) is not None
            case _:
                is_legal = True
        kept += [step] if is_legal else []
    return kept


def deltas(items: st.SearchStrategy[OutputItem]) -> st.SearchStrategy[list[Step]]:
    logprobs = st.just((Logprob(token="a", logprob=-0.5, bytes=(97,)),))
    names = st.sampled_from([None, "f", "g"])
    call_ids = st.sampled_from([None, "call_a", "call_b"])
    namespaces = st.sampled_from([None, "files"])
    one_of = st.one_of(
        st.builds(d.Text, TEXTS, KEYS),
        st.builds(d.Refusal, TEXTS, KEYS),
        st.builds(d.Annotation, ANNOTATIONS, KEYS),
        st.builds(d.Logprobs, logprobs, KEYS),
        st.builds(
            d.Thought,
            TEXTS,
            KEYS,
            st.sampled_from(["raw", "summary"]),
            st.sampled_from([None, "sealed"]),
        ),
        st.builds(d.ToolCall, KEYS, call_ids, names, TEXTS, namespaces),
        st.builds(d.CustomCall, KEYS, call_ids, names, TEXTS, namespaces),
        st.builds(d.Item, items),
        st.builds(d.Used, USAGE),
        st.builds(Pause),
        TOOL_DELTAS,
        TOOL_DELTAS,
        TOOL_DELTAS,
    )
    return st.lists(one_of, max_size=25).map(legal)


ANY_DELTAS = deltas(ITEMS | STRANGE_ITEMS)
ENDS = st.lists(
    st.builds(d.Finished, st.sampled_from(["stop", "max_output_tokens", "content_filter"]))
    | st.builds(d.Used, USAGE),
    max_size=3,
)


def new_assembler() -> Assembler:
    numbers = itertools.count(1)
    response = Response(id="resp_1", created_at=100, model="acme/small")
    return Assembler(response, lambda prefix: f"{prefix}_{next(numbers)}", lambda: 107.9)


def say(assembler: Assembler, step: Step) -> list[Event]:
    return assembler.pause() if isinstance(step, Pause) else assembler.feed(step)


def assemble(assembler: Assembler, said: Iterable[Step]) -> bytes:
    """Return the bytes that a client gets; a provider that breaks its protocol ends the stream."""
    events = assembler.start()
    try:
        for step in said:
            events += say(assembler, step)
        events += assembler.finish()
    except UpstreamProtocolError as error:
        events += assembler.fail(error)
    return encode_frames(events)


def read(body: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(frame.data) for frame in SSEDecoder().feed(body)]


def accumulate(stream: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Build the output from the events in between, as a client does that shows it as it grows."""
    items: dict[int, dict[str, Any]] = {}
    for event in stream:
        match event:
            case {"type": "response.output_item.added", "output_index": index, "item": item}:
                items[index] = {"type": item["type"], "id": item.get("id"), "texts": {}}
            case {"delta": delta, "output_index": index}:
                part = (event.get("content_index"), event.get("summary_index"))
                texts = items[index]["texts"]
                texts[part] = texts.get(part, "") + delta
            case _:
                pass
    return [items[index] for index in sorted(items)]


def shown(item: dict[str, Any]) -> dict[str, Any]:
    """Return a final item in the shape of `accumulate`."""
    texts: dict[Any, str] = {}
    if item["type"] in ("message", "reasoning"):
        for index, part in enumerate(item.get("content", [])):
            texts[index, None] = part.get("text", part.get("refusal"))
        for index, part in enumerate(item.get("summary", [])):
            texts[None, index] = part["text"]
    elif item["type"] in ("function_call", "mcp_call"):
        texts[None, None] = item["arguments"]
    elif item["type"] == "custom_tool_call":
        texts[None, None] = item["input"]
    elif item["type"] == "code_interpreter_call":
        texts[None, None] = item["code"]
    texts = {place: text for place, text in texts.items() if text}
    return {"type": item["type"], "id": item.get("id"), "texts": texts}


@given(ANY_DELTAS, ENDS)
def test_any_deltas_give_a_stream_that_keeps_the_rules(said: list[Step], ends: list[Step]) -> None:
    assert violations(read(assemble(new_assembler(), [*said, *ends]))) == []


@given(ANY_DELTAS)
def test_a_failure_anywhere_still_ends_well(said: list[Step]) -> None:
    assembler = new_assembler()
    events = assembler.start()
    for step in said:
        try:
            events += say(assembler, step)
        except UpstreamProtocolError:
            break
    events += assembler.fail(UpstreamUnavailableError("overloaded"))
    stream = read(encode_frames(events))
    assert violations(stream) == []
    assert [event["type"] for event in stream[-2:]] == ["error", "response.failed"]


@given(ANY_DELTAS, ENDS)
def test_the_response_is_what_the_events_said(said: list[Step], ends: list[Step]) -> None:
    assembler = new_assembler()
    stream = read(assemble(assembler, [*said, *ends]))
    assert stream[-1]["response"] == assembler.response.to_dict()
    output = stream[-1]["response"]["output"]
    assert output == [
        event["item"]
        for event in sorted(
            (event for event in stream if event["type"] == "response.output_item.done"),
            key=lambda event: event["output_index"],
        )
    ]
    assert [shown(item) for item in output] == accumulate(stream)


@given(ANY_DELTAS, ENDS)
def test_no_two_items_and_no_two_calls_have_one_id(said: list[Step], ends: list[Step]) -> None:
    assembler = new_assembler()
    assemble(assembler, [*said, *ends])
    output = [msgspec.to_builtins(item) for item in assembler.response.output]
    for name in ("id", "call_id"):
        ids = [item[name] for item in output if name in item]
        assert len(ids) == len(set(ids))


@given(ANY_DELTAS)
def test_no_text_is_lost_and_none_is_added(said: list[Step]) -> None:
    spoken = [delta for delta in said if not isinstance(delta, d.ToolCall | d.CustomCall | d.Item)]
    assembler = new_assembler()
    assemble(assembler, [*spoken, d.Finished()])
    text = "".join(delta.text for delta in spoken if isinstance(delta, d.Text))
    assert assembler.response.output_text == text
    refused = "".join(delta.text for delta in spoken if isinstance(delta, d.Refusal))
    assert refused == "".join(
        part.refusal
        for item in assembler.response.output
        if isinstance(item, Message)
        for part in item.content
        if isinstance(part, Refusal)
    )
    thought = dict.fromkeys(("raw", "summary"), "")
    for delta in spoken:
        if isinstance(delta, d.Thought):
            thought[delta.kind] += delta.text
    reasoning = [item for item in assembler.response.output if isinstance(item, Reasoning)]
    assert thought == {
        "raw": "".join(part.text for item in reasoning for part in item.content or ()),
        "summary": "".join(part.text for item in reasoning for part in item.summary),
    }


@pytest.fixture(scope="module")
def official() -> TypeAdapter[Any]:
    return TypeAdapter(ResponseStreamEvent)


@given(said=deltas(ITEMS), ends=ENDS)
def test_every_event_fits_the_official_types(
    official: TypeAdapter[Any], said: list[Step], ends: list[Step]
) -> None:
    for event in read(assemble(new_assembler(), [*said, *ends])):
        official.validate_python(event)


class Wire:
    """The official SDK, talking to whatever `body` holds."""

    def __init__(self) -> None:
        self.body = b""
        transport = httpx2.MockTransport(self._answer)
        self.client = openai.OpenAI(
            api_key="none",
            base_url="http://gateway.invalid/v1",
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
        )

    def _answer(self, _: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=self.body)

    def final_response(self) -> OpenAIResponse:
        """Drive the strict stream helper, which raises for a stream that contradicts itself."""
        with self.client.responses.stream(model="acme/small", input="Hi") as stream:
            return stream.get_final_response()


@pytest.fixture(scope="module")
def wire() -> Iterable[Wire]:
    wire = Wire()
    with wire.client:
        yield wire


@given(said=deltas(ITEMS))
def test_the_official_sdk_accumulates_every_completed_stream(wire: Wire, said: list[Step]) -> None:
    calls = d.ToolCall | d.CustomCall
    named = [msgspec.structs.replace(x, name="f") if isinstance(x, calls) else x for x in said]
    assembler = new_assembler()
    wire.body = assemble(assembler, [*named, d.Finished()]) + DONE
    if assembler.response.status == "failed":  # more arguments for a closed call
        with pytest.raises(openai.APIError, match="after its end"):
            wire.final_response()
        return
    final = wire.final_response()
    assert final.output_text == assembler.response.output_text
    assert [item.type for item in final.output] == [item.type for item in assembler.response.output]


@given(said=deltas(ITEMS))
def test_the_official_sdk_raises_the_error_of_a_stream_that_was_cut(
    wire: Wire, said: list[Step]
) -> None:
    wire.body = assemble(new_assembler(), said) + DONE
    with pytest.raises(openai.APIError) as caught:
        wire.final_response()
    assert caught.value.code == "upstream_protocol_error"
