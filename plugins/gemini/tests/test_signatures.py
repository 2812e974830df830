"""What Gemini signed comes back in its place: every recorded answer, as part of the next turn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.plugin import UpstreamRequest
from gateway.testing.cases import Recording, call_of
from gateway.testing.preparing import Prepared
from gateway.testing.replay import plain, replay
from gateway.types.request import decode_request
from gateway_gemini import GeminiDialect
from gateway_gemini.signatures import UNCHECKED

CASES = Path(__file__).parents[3] / "../shared/corpus/cases"
APIS = ("generate_content", "stream_generate_content")
DIALECT = GeminiDialect()
Json = dict[str, Any]


def recordings() -> list[Any]:
    found = [Recording(path.parent) for path in sorted(CASES.glob("*/*/meta.json"))]
    mine = [one for one in found if one.meta["api"] in APIS and one.meta["status"] < 400]
    skipped = pytest.mark.skip(reason="the corpus of recordings is not on this machine")
    return [pytest.param(one, id=one.path.name) for one in mine] or [
        pytest.param(None, marks=skipped)
    ]


def parts_of(recording: Recording) -> Iterator[Json]:
    """Yield the parts of the first candidate, read without the dialect."""
    body = recording.recorded[0].body
    if recording.meta["stream"]:
        lines = [line for line in body.decode().splitlines() if line.startswith("data:")]
        chunks = [msgspec.json.decode(line.removeprefix("data:").strip()) for line in lines]
    else:
        value = msgspec.json.decode(body)
        chunks = value if isinstance(value, list) else [value]
    for chunk in chunks:
        for candidate in chunk.get("candidates", ()):
            if not candidate.get("index"):
                yield from candidate.get("content", {}).get("parts", ())


def signed(parts: list[Json]) -> list[tuple[str, Any, str]]:
    """Return kind, content and signature of each part; texts of a stream in a row are one."""
    found: list[tuple[str, Any, str]] = []
    for part in parts:
        signature = part.get("thoughtSignature", "")
        kind = next(name for name in part if name not in ("thoughtSignature", "thought"))
        if part.get("thought") or (part.get("text") == "" and not signature):
            continue
        if kind == "text" and part["text"] and found and found[-1][0] == "text":
            _, before, earlier = found.pop()
            found.append(("text", before + part["text"], earlier or signature))
        elif kind == "functionCall":
            if name := part[kind].get("name"):
                found.append((kind, name, signature))
        else:
            found.append((kind, part[kind], signature))
    return found


def next_turn(items: list[Json], model: str) -> list[Json]:
    """Return the parts of the model's turn in the request that goes on after `items`."""
    outputs = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "done"}
        for item in items
        if item["type"] == "function_call"
    ]
    asked = [{"role": "user", "content": "Hello"}]
    going_on = [{"role": "user", "content": "Go on."}]
    body = msgspec.json.encode({"model": model, "input": asked + items + outputs + going_on})
    call = call_of(decode_request(body), {})
    deployment = msgspec.structs.replace(call.deployment, model=model)
    prepared = Prepared(DIALECT, msgspec.structs.replace(call, model=model, deployment=deployment))
    assert prepared.rejected == []
    return [*turns_of(prepared.encode())]


def turns_of(request: UpstreamRequest) -> Iterator[Json]:
    for content in msgspec.json.decode(request.body)["contents"]:
        if content["role"] == "model":
            yield from content["parts"]


def output_of(recording: Recording) -> list[Json]:
    recorded = recording.recorded[0]
    events = plain(replay(DIALECT, recording.call, [recorded.body], whole=recorded.whole))
    return events[-1]["response"]["output"]


@pytest.mark.parametrize("recording", recordings())
def test_a_recorded_turn_comes_back_with_its_signatures(recording: Recording) -> None:
    items = [one for one in output_of(recording) if "refusal" not in str(one.get("content"))]
    assert signed(next_turn(items, "gemini-2.5-pro")) == signed([*parts_of(recording)])


@pytest.mark.parametrize("recording", recordings())
def test_a_client_that_forgets_reasoning_can_still_go_on(recording: Recording) -> None:
    items = [one for one in output_of(recording) if one["type"] != "reasoning"]
    calls = [part for part in next_turn(items, "gemini-3.5-flash") if "functionCall" in part]
    signatures = [part.get("thoughtSignature") for part in calls]
    assert signatures == [UNCHECKED, *[None] * (len(calls) - 1)][: len(calls)]


def test_calls_made_at_once_keep_the_one_signature_on_the_first() -> None:
    """LiteLLM lost it, or put it on all of them (litellm#22578, #22599, PR#16895)."""
    items: list[Json] = [
        {"type": "reasoning", "summary": [], "encrypted_content": '{"next":"sig"}'},
        *({"type": "function_call", "call_id": n, "name": n, "arguments": "{}"} for n in "abc"),
    ]
    parts = next_turn(items, "gemini-3.5-flash")
    assert [part.get("thoughtSignature") for part in parts] == ["sig", None, None]


def test_each_step_of_a_turn_keeps_its_own_signature() -> None:
    """One call after the other, each signed; LiteLLM lost some (litellm#16893, #25322)."""
    items: list[Json] = []
    for name in "ab":
        items += [
            {"type": "reasoning", "summary": [], "encrypted_content": f'{{"next":"sig-{name}"}}'},
            {"type": "function_call", "call_id": name, "name": name, "arguments": "{}"},
            {"type": "function_call_output", "call_id": name, "output": "done"},
        ]
    body = msgspec.json.encode({"model": "m", "input": [{"role": "user", "content": "Hi"}, *items]})
    request = DIALECT.encode(call_of(decode_request(body), {}))
    assert [part["thoughtSignature"] for part in turns_of(request)] == ["sig-a", "sig-b"]


def answered(parts: list[Json]) -> list[Json]:
    frame = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    asked = call_of(decode_request(b'{"model": "m", "input": "Hi"}'), {})
    events = plain(replay(DIALECT, asked, [msgspec.json.encode(frame)], whole=True))
    return events[-1]["response"]["output"]


def test_signatures_on_both_sides_of_a_thought_both_come_back() -> None:
    first, second = ({"text": "", "thoughtSignature": name} for name in "ST")
    parts = [{"text": "a"}, first, {"text": "t", "thought": True}, second]
    assert next_turn(answered(parts), "gemini-3.5-flash") == [{"text": "a"}, first, second]


@pytest.mark.parametrize(
    "parts",
    [
        [{"text": "ab", "thoughtSignature": "S"}, {"text": "c"}],
        [{"text": "ab"}, {"text": "c", "thoughtSignature": "S"}],
        [{"text": "ab", "thoughtSignature": "S"}, {"text": "c", "thoughtSignature": "T"}],
        [
            {"text": "ab", "thoughtSignature": "S"},
            {"text": "c"},
            {"text": "d", "thoughtSignature": "T"},
        ],
    ],
)
def test_a_signed_text_stays_apart_from_one_that_is_not(parts: list[Json]) -> None:
    output = answered(parts)
    assert [item["type"] for item in output].count("message") == 1
    assert next_turn(output, "gemini-3.5-flash") == parts
