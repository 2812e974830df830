"""Every recorded answer of the Messages API, against a second and simpler reading of it."""

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CASES = Path(__file__).parents[4] / "../shared/corpus/cases"
STATUS = {"max_tokens": "incomplete", "refusal": "incomplete", "pause_turn": "failed"}
TOLD = {"text", "tool_use"}
DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


class Case(NamedTuple):
    name: str
    meta: Mapping[str, Any]
    body: bytes


def cases() -> list[Any]:
    found: list[Case] = []
    for path in sorted(CASES.glob("*/*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"] == "messages" and meta["status"] < 400:
            found.append(Case(path.parent.name, meta, (path.parent / "response.body").read_bytes()))
    skipped = pytest.mark.skip(reason="the corpus of recordings is not on this machine")
    return [pytest.param(case, id=case.name) for case in found] or [
        pytest.param(None, marks=skipped)
    ]


def message_of(case: Case) -> dict[str, Any]:
    """Return the whole message, put together from the events if it was streamed."""
    if not case.meta["stream"]:
        return json.loads(case.body)
    lines = case.body.decode().splitlines()
    message: dict[str, Any] = {}
    for event in [json.loads(line[5:]) for line in lines if line.startswith("data:")]:
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append(event["content_block"])
            case "content_block_delta":
                grow(message["content"][event["index"]], event["delta"])
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= {k: v for k, v in event["usage"].items() if v is not None}
            case _:
                pass
    message["content"] = [finished(block) for block in message["content"]]
    return message


def finished(block: dict[str, Any]) -> dict[str, Any]:
    text = block.pop("json", "")
    return {**block, "input": json.loads(text)} if text else block


def grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta["type"]:
        case "input_json_delta":
            block["json"] = block.get("json", "") + delta["partial_json"]
        case "compaction_delta":
            block["content"] = delta["content"]
        case "citations_delta":
            block["citations"] = [*block.get("citations", []), delta["citation"]]
        case kind:
            block[DELTAS[kind]] += delta[DELTAS[kind]]


def read_case(case: Case, read: Callable[..., Any]) -> Any:
    return read([case.body], whole=not case.meta["stream"])


@pytest.mark.parametrize("case", cases())
def test_a_recorded_answer_is_read_as_it_stands(case: Case, read: Callable[..., Any]) -> None:
    outcome, message = read_case(case, read), message_of(case)
    blocks = message["content"]
    assert outcome.response.output_text == "".join(
        block["text"] for block in blocks if block["type"] == "text"
    )
    assert [
        (call.call_id, call.name, json.loads(call.arguments))
        for call in outcome.items("function_call")
    ] == [
        (block["id"], block["name"], block["input"])
        for block in blocks
        if block["type"] == "tool_use"
    ]
    thoughts = [part.text for item in outcome.items("reasoning") for part in item.summary]
    assert "".join(thoughts) == "".join(
        block["thinking"] for block in blocks if block["type"] == "thinking"
    )
    assert outcome.response.status == STATUS.get(message["stop_reason"], "completed")


@pytest.mark.parametrize("case", cases())
def test_what_only_claude_reads_comes_back_verbatim_and_in_order(
    case: Case, read: Callable[..., Any]
) -> None:
    message = message_of(case)
    carried = [block for blocks in read_case(case, read).carriers for block in blocks]
    opaque = [block for block in message["content"] if block["type"] not in TOLD]
    answered = {block.get("tool_use_id") for block in opaque}
    broken_off = [
        block
        for block in opaque
        if block["type"] == "server_tool_use" and block["id"] not in answered
    ]
    assert [block for block in opaque if block not in broken_off] == [
        block for block in carried if block not in broken_off
    ]


@pytest.mark.parametrize("case", cases())
def test_the_usage_of_a_recorded_answer_is_that_of_its_end(
    case: Case, read: Callable[..., Any]
) -> None:
    counts, usage = message_of(case)["usage"], read_case(case, read).response.usage
    cache = counts["cache_creation_input_tokens"], counts["cache_read_input_tokens"]
    assert usage.input_tokens == counts["input_tokens"] + sum(cache)
    assert usage.input_tokens_details.cached_tokens == cache[1]
    assert usage.output_tokens == counts["output_tokens"]


@pytest.mark.parametrize("case", cases())
def test_random_pieces_of_a_recorded_answer_say_the_same(
    case: Case, read: Callable[..., Any]
) -> None:
    chance = random.Random(case.name)
    cuts = sorted(chance.sample(range(len(case.body)), min(40, len(case.body))))
    pieces = [case.body[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    assert read(pieces, whole=not case.meta["stream"]).events == read_case(case, read).events
