"""Every recorded answer of Converse and ConverseStream, against a simpler reading of it."""

import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CASES = Path(__file__).parents[3] / "../shared/corpus/cases/bedrock"
Json = dict[str, Any]


class Case(NamedTuple):
    body: bytes
    stream: bool

    @property
    def events(self) -> list[Json]:
        """The payloads of a stream; of a whole answer, its blocks as if they were streamed."""
        if self.stream:
            return [json.loads(payload) for payload in payloads(self.body)]
        whole = json.loads(self.body)
        return [*({"delta": block} for block in whole["output"]["message"]["content"]), whole]


def payloads(body: bytes) -> Iterator[bytes]:
    while body:
        length, headers = struct.unpack_from(">II", body)
        yield body[12 + headers : length - 4]
        body = body[length:]


def cases() -> list[Any]:
    found: list[Any] = []
    for path in sorted(CASES.glob("*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"].startswith("converse") and meta["status"] == 200:
            body = (path.parent / "response.body").read_bytes()
            found.append(pytest.param(Case(body, meta["stream"]), id=path.parent.name))
    nothing = pytest.mark.skip(reason="the corpus of recordings is not on this machine")
    return found or [pytest.param(None, marks=nothing)]


def text_of(events: list[Json]) -> str:
    deltas = [event.get("delta", {}) for event in events]
    cited = [delta.get("citationsContent", {}).get("content", []) for delta in deltas]
    parts = zip(deltas, cited, strict=True)
    return "".join(d.get("text", "") + "".join(p["text"] for p in texts) for d, texts in parts)


def signatures_in(events: list[Json]) -> list[str]:
    thoughts = [event.get("delta", {}).get("reasoningContent", {}) for event in events]
    whole = [thought.get("reasoningText", thought) for thought in thoughts]
    signed = [thought["signature"] for thought in whole if "signature" in thought]
    return signed + [one["redactedContent"] for one in thoughts if "redactedContent" in one]


def calls_in(events: list[Json]) -> list[str]:
    pieces = [event.get("start", event.get("delta", {})).get("toolUse", {}) for event in events]
    names = [one for one in pieces if "name" in one and one.get("type") != "server_tool_use"]
    return [one["toolUseId"] for one in names]


@pytest.mark.parametrize("case", cases())
def test_a_recorded_answer_is_read_as_it_stands(case: Case, answer: Callable[..., Json]) -> None:
    response = answer([case.body], whole=not case.stream)
    items = response["output"]
    said = [part["text"] for item in items if item["type"] == "message" for part in item["content"]]
    assert "".join(said) == text_of(case.events)
    calls = [item for item in items if item["type"] == "function_call"]
    assert [call["call_id"] for call in calls] == calls_in(case.events)
    assert all(isinstance(json.loads(call["arguments"]), dict) for call in calls)
    carriers = "".join(item.get("encrypted_content", "") for item in items)
    assert all(signature in carriers for signature in signatures_in(case.events))


@pytest.mark.parametrize("case", cases())
def test_the_usage_of_a_recorded_answer_is_the_vendors_total(
    case: Case, answer: Callable[..., Json]
) -> None:
    (reported,) = [event["usage"] for event in case.events if "usage" in event]
    usage = answer([case.body], whole=not case.stream)["usage"]
    assert usage["total_tokens"] == reported["totalTokens"]
    assert usage["output_tokens"] == reported["outputTokens"]


@pytest.mark.parametrize("case", cases())
def test_random_pieces_of_a_recording_change_nothing(
    case: Case, answer: Callable[..., Json]
) -> None:
    chance, rest, pieces = random.Random(len(case.body)), case.body, list[bytes]()
    while rest:
        size = chance.randint(1, 40)
        pieces, rest = [*pieces, rest[:size]], rest[size:]
    whole = not case.stream
    assert answer(pieces, whole=whole) == answer([case.body], whole=whole)


def test_all_twenty_four_recordings_are_here() -> None:
    if not CASES.exists():
        pytest.skip("the corpus of recordings is not on this machine")
    assert len(cases()) == 24
