"""One answer, written as any vendor might write it, is always read as that answer.

The vendors here are invented: each is a random choice of the ways in which real ones differ.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.stream.lifecycle import violations

Read = Callable[..., Any]
Json = dict[str, Any]

any_vendor = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100
)


class ToolUse(NamedTuple):
    name: str
    said: Any
    custom: bool
    id: str


class Answer(NamedTuple):
    """What a model says, before any vendor writes it."""

    reasoning: str
    text: str
    refusal: str
    citations: list[tuple[str, str, int, int]]
    calls: list[ToolUse]
    usage: tuple[int, int, int, int] | None
    finish: str


class Vendor(NamedTuple):
    """How one vendor writes answers."""

    reasoning: str
    parts: bool
    ids: str
    numbers: str
    arguments: str
    names: str
    citations: str
    usage: str
    finish_alone: bool
    greets: bool
    line: bytes
    sizes: list[int]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SPOKEN = WORDS.filter(lambda text: not text or not text.isspace())
NAMES = st.sampled_from(["look", "look_up", "send"])
VALUES = st.dictionaries(
    WORDS, WORDS | st.integers(-9, 9) | st.lists(WORDS, max_size=2), max_size=3
)
URLS = st.sampled_from(["https://a.test/", "https://b.test/x?y=1", "https://c.test/[3]"])


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    text, refusal = draw(SPOKEN), draw(SPOKEN)
    spans = st.tuples(URLS, WORDS, st.integers(0, 20), st.integers(20, 40))
    calls = [
        ToolUse(draw(NAMES), draw(VALUES.map(lambda said: said or {"a": 1})), False, f"call_x{n}")
        for n in range(draw(st.integers(0, 3)))
    ]
    if calls and draw(st.booleans()):
        calls[0] = calls[0]._replace(custom=True, said=draw(WORDS.filter(bool)))
    return Answer(
        reasoning=draw(WORDS),
        text=text,
        refusal=refusal,
        citations=draw(st.lists(spans, max_size=2, unique=True)) if text else [],
        calls=calls,
        usage=draw(st.none() | st.tuples(*[st.integers(1, 500)] * 4)),
        finish="tool_calls" if calls else draw(st.sampled_from(["stop", "length"])),
    )


@st.composite
def vendors(draw: st.DrawFn) -> Vendor:
    def one_of(*ways: str) -> str:
        return draw(st.sampled_from(ways))

    ids, numbers = one_of("once", "each", "none"), one_of("own", "zero", "none")
    # Without ids and numbers nothing tells pieces of two calls apart: such vendors send them whole.
    whole = ids == "none" and numbers != "own"
    return Vendor(
        reasoning=one_of("reasoning_content", "reasoning", "reasoning_text", "details", "both"),
        parts=draw(st.booleans()),
        ids=ids,
        numbers=numbers,
        arguments=one_of("whole", "object") if whole else one_of("whole", "object", "pieces"),
        names=one_of("once", "each"),
        citations=one_of("nested", "flat"),
        usage=one_of("alone", "with finish", "always", "groq"),
        finish_alone=draw(st.booleans()),
        greets=draw(st.booleans()),
        line=draw(st.sampled_from([b"\n", b"\r\n"])),
        sizes=draw(st.lists(st.integers(1, 9), min_size=1, max_size=5)),
    )


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces, start = [], 0
    while start < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[start : start + size])
        start += size
    return pieces


def reasoning_of(text: str, vendor: Vendor) -> Json:
    if vendor.parts:
        return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}
    match vendor.reasoning:
        case "details":
            return {"reasoning_details": [{"type": "reasoning.text", "text": text, "index": 0}]}
        case "both":
            return {"reasoning": text, "reasoning_content": text}
        case field:
            return {field: text}


def content_of(text: str, vendor: Vendor) -> Json:
    return {"content": [{"type": "text", "text": text}] if vendor.parts else text}


def citations_of(answer: Answer, vendor: Vendor) -> Json:
    fields = ("url", "title", "start_index", "end_index")
    cited = [dict(zip(fields, citation, strict=True)) for citation in answer.citations]
    if vendor.citations == "nested":
        return {"annotations": [{"type": "url_citation", "url_citation": one} for one in cited]}
    return {"annotations": [{"type": "url_citation", **one} for one in cited]}


def call_piece(call: ToolUse, number: int, said: Any, vendor: Vendor, *, first: bool) -> Json:
    place = {"own": {"index": number}, "zero": {"index": 0}, "none": {}}[vendor.numbers]
    named = {"id": call.id} if vendor.ids == "each" or (vendor.ids == "once" and first) else {}
    inner = {"name": call.name} if first or vendor.names == "each" else {}
    if call.custom:
        return {**place, **named, "type": "custom", "custom": {**inner, "input": said}}
    return {**place, **named, "function": {**inner, "arguments": said}}


def call_deltas(answer: Answer, vendor: Vendor) -> Iterator[list[Json]]:
    for number, call in enumerate(answer.calls):
        said = call.said if call.custom else json.dumps(call.said)
        if vendor.arguments == "object" and not call.custom:
            pieces: list[Any] = [call.said]
        else:
            pieces = ["", *cut(said, vendor.sizes)] if vendor.arguments == "pieces" else [said]
        for position, piece in enumerate(pieces):
            yield [call_piece(call, number, piece, vendor, first=position == 0)]


def usage_of(usage: tuple[int, int, int, int]) -> Json:
    sent, answered, cached, thought = usage
    return {
        "prompt_tokens": sent,
        "completion_tokens": answered,
        "total_tokens": sent + answered,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


def deltas_of(answer: Answer, vendor: Vendor) -> Iterator[Json]:
    if vendor.greets:
        yield {"role": "assistant", "content": ""}
    yield from (reasoning_of(piece, vendor) for piece in cut(answer.reasoning, vendor.sizes))
    if vendor.greets and not vendor.parts:
        yield {"content": "", "reasoning_content": None, "tool_calls": []}
    yield from (content_of(piece, vendor) for piece in cut(answer.text, vendor.sizes))
    if answer.citations:
        yield citations_of(answer, vendor)
    yield from ({"refusal": piece} for piece in cut(answer.refusal, vendor.sizes))
    yield from ({"tool_calls": pieces} for pieces in call_deltas(answer, vendor))


def stream_of(answer: Answer, vendor: Vendor) -> bytes:
    choices: list[Json] = [{"index": 0, "delta": delta} for delta in deltas_of(answer, vendor)]
    if vendor.finish_alone or not choices:
        choices.append({"index": 0, "delta": {}})
    choices[-1]["finish_reason"] = answer.finish
    chunks: list[Json] = [{"choices": [choice]} for choice in choices]
    if answer.usage:
        usage = usage_of(answer.usage)
        match vendor.usage:
            case "alone":
                chunks.append({"choices": [], "usage": usage})
            case "with finish":
                chunks[-1]["usage"] = usage
            case "groq":
                chunks[-1]["x_groq"] = {"usage": usage}
            case _:
                chunks = [chunk | {"usage": usage} for chunk in chunks]
    lines = [b": working", *(b"data: " + json.dumps(chunk).encode() for chunk in chunks)]
    return b"".join(line + vendor.line * 2 for line in [*lines, b"data: [DONE]"])


def whole_of(answer: Answer, vendor: Vendor) -> bytes:
    whole = vendor._replace(arguments="whole" if vendor.arguments == "pieces" else vendor.arguments)
    message: Json = {"role": "assistant", "content": None, "refusal": answer.refusal or None}
    thought = reasoning_of(answer.reasoning, vendor) if answer.reasoning else {}
    text = content_of(answer.text, vendor) if answer.text else {}
    parts = (*thought.get("content", ()), *text.get("content", ())) if vendor.parts else ()
    message |= thought | text | ({"content": parts} if parts else {})
    message |= citations_of(answer, vendor) if answer.citations else {}
    if answer.calls:
        message["tool_calls"] = [piece for (piece,) in call_deltas(answer, whole)]
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
    usage = {"usage": usage_of(answer.usage)} if answer.usage else {}
    return json.dumps({"object": "chat.completion", "choices": [choice], **usage}).encode()


def said_by(outcome: Any, *, ids: bool) -> Answer:
    """Return what the response says in the words of `Answer`."""
    items = outcome.response.output
    parts = [part for item in items if item.type == "message" for part in item.content]
    texts = [part for part in parts if part.type == "output_text"]
    calls = [item for item in items if item.type.endswith("_call")]
    usage = outcome.response.usage
    return Answer(
        reasoning="".join(p.text for i in items if i.type == "reasoning" for p in i.content or ()),
        text="".join(part.text for part in texts),
        refusal="".join(part.refusal for part in parts if part.type == "refusal"),
        citations=[
            (one.url, one.title, one.start_index, one.end_index)
            for part in texts
            for one in part.annotations
        ],
        calls=[
            ToolUse(
                call.name,
                call.input if call.type == "custom_tool_call" else json.loads(call.arguments),
                call.type == "custom_tool_call",
                call.call_id if ids else f"call_x{number}",
            )
            for number, call in enumerate(calls)
        ],
        usage=(
            usage.input_tokens,
            usage.output_tokens,
            usage.input_tokens_details.cached_tokens,
            usage.output_tokens_details.reasoning_tokens,
        )
        if usage.total_tokens
        else None,
        finish={"incomplete": "length"}.get(
            outcome.response.status, "tool_calls" if calls else "stop"
        ),
    )


def check(outcome: Any, answer: Answer, vendor: Vendor) -> None:
    assert violations(outcome.events) == []
    assert outcome.error is None
    assert said_by(outcome, ids=vendor.ids != "none") == answer
    spoke = ["message"] if answer.text or answer.refusal else []
    calls = ["custom_tool_call" if call.custom else "function_call" for call in answer.calls]
    order = ["reasoning"] * bool(answer.reasoning) + spoke + calls
    assert [item.type for item in outcome.response.output] == order


@any_vendor
@given(answers(), vendors(), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_a_stream_is_read_as_the_answer_that_it_is(
    read: Read, answer: Answer, vendor: Vendor, sizes: list[int]
) -> None:
    body, pieces, start = stream_of(answer, vendor), [], 0
    while start < len(body):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(body[start : start + size])
        start += size
    check(read(pieces), answer, vendor)


@any_vendor
@given(answers(), vendors())
def test_a_whole_answer_is_read_as_its_stream_is(
    read: Read, answer: Answer, vendor: Vendor
) -> None:
    check(read([whole_of(answer, vendor)], whole=True), answer, vendor)


ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | WORDS | st.integers(-(2**70), 2**70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container in `value` with each of its keys."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@any_vendor
@given(answers(), vendors(), st.data())
def test_nonsense_in_any_place_never_breaks_the_rules(
    read: Read, answer: Answer, vendor: Vendor, data: st.DataObject
) -> None:
    frames = [
        json.loads(line[6:])
        for line in stream_of(answer, vendor).splitlines()
        if line.startswith(b"data: {")
    ]
    frame = data.draw(st.sampled_from(frames))
    holder, key = data.draw(st.sampled_from(list(places(frame))))
    holder[key] = data.draw(ODD)
    body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in frames)
    assert violations(read([body]).events) == []


@any_vendor
@given(answers(), vendors(), st.integers(0, 10_000), st.binary(max_size=3))
def test_broken_bytes_never_break_the_rules(
    read: Read, answer: Answer, vendor: Vendor, place: int, junk: bytes
) -> None:
    body = stream_of(answer, vendor)
    place %= len(body)
    assert violations(read([body[:place], junk, body[place + 1 :]]).events) == []
