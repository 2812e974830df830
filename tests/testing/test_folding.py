"""Who reads deltas alone gets the whole output, and notices when one is missing."""

from typing import Any

import pytest

from gateway.stream.assembler import Assembler
from gateway.stream.deltas import (
    Annotation,
    CustomCall,
    Delta,
    Finished,
    Hosted,
    HostedArguments,
    HostedEnd,
    Item,
    Logprobs,
    Refusal,
    Text,
    Thought,
    ToolCall,
)
from gateway.testing import CountedIds
from gateway.testing.folding import fold
from gateway.testing.replay import plain
from gateway.types.content import Logprob, UrlCitation
from gateway.types.items import CodeInterpreterCall, ImageGenerationCall, McpCall
from gateway.types.request import Request
from gateway.types.response import start_response

RUN = McpCall(name="find", arguments="", server_label="shop")

ANSWER: tuple[Delta, ...] = (
    Thought("Let me "),
    Thought("see.", carrier="opaque"),
    Thought("In short.", key="other", kind="summary"),
    Logprobs((Logprob(token="Hello", logprob=-0.5),)),
    Text("Hello"),
    Text(" there"),
    Annotation(UrlCitation(url="https://a.test", end_index=5)),
    Refusal("But no."),
    ToolCall(0, "call_a", "tell", '{"a":'),
    CustomCall(1, "call_b", "write", "one"),
    ToolCall(0, arguments="1}"),
    CustomCall(1, input=" two"),
    Hosted(2, RUN),
    HostedArguments(2, '{"b":'),
    Item(ImageGenerationCall(result="AAAA", status="completed")),
    Item(CodeInterpreterCall(container_id="cntr_1", code="1 + 1", status="completed")),
    HostedArguments(2, "2}", complete=True),
    HostedEnd(2, RUN),
    Finished("stop"),
)


def told(*deltas: Delta) -> list[dict[str, Any]]:
    ids = CountedIds()
    response = start_response(Request(), id="resp_1", model="some", created_at=0)
    assembler = Assembler(response, ids.mint, ids.now)
    events = assembler.start()
    for delta in deltas:
        events += assembler.feed(delta)
    return [dict(event) for event in plain([*events, *assembler.finish()])]


def test_the_deltas_of_all_kinds_add_up() -> None:
    events = told(*ANSWER)
    output = events[-1]["response"]["output"]
    assert len(output) > 5
    assert fold(events) == output


@pytest.mark.parametrize("kind", sorted({event["type"] for event in told(*ANSWER)}))
def test_a_missing_event_is_noticed(kind: str) -> None:
    events = told(*ANSWER)
    output = events[-1]["response"]["output"]
    steps = ("created", "in_progress", "generating", "interpreting", "completed")
    told_twice = kind.endswith((".done", *steps))
    needed = not told_twice or kind == "response.output_item.done"
    first = next(place for place, event in enumerate(events) if event["type"] == kind)
    del events[first]
    assert (_folded(events) != output) == needed


def _folded(events: list[dict[str, Any]]) -> object:
    try:
        return fold(events)
    except LookupError:
        return None
