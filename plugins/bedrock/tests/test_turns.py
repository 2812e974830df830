"""What the vendor wants back comes back as it was, in its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.vendors.bedrock import check_converse

from .conftest import event

CASES = Path(__file__).parents[3] / "../shared/corpus/cases/bedrock"
Json = dict[str, Any]
ASK = {"role": "user", "content": "Ask."}
SPOKEN = ("text", "citationsContent")


def recorded() -> list[Any]:
    found: list[Any] = []
    for path in sorted(CASES.glob("*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"] == "converse" and meta["status"] == 200:
            content = json.loads((path.parent / "response.body").read_bytes())["output"]["message"]
            found.append(pytest.param(content["content"], id=path.parent.name))
        request = json.loads((path.parent / "request.json").read_bytes())
        turns = [m["content"] for m in request.get("messages", []) if m["role"] == "assistant"]
        found += [
            pytest.param(turn, id=f"{path.parent.name} {number}")
            for number, turn in enumerate(turns)
            if meta["api"].startswith("converse")
        ]
    nothing = pytest.mark.skip(reason="the corpus of recordings is not on this machine")
    return found or [pytest.param(None, marks=nothing)]


def told(blocks: list[Json]) -> list[Json]:
    """Return `blocks` as we send them back: words in one text, without sources."""
    turn: list[Json] = []
    for block in blocks:
        cited = block.get("citationsContent", {}).get("content", [])
        if not block.keys() & {*SPOKEN}:
            plain = {name: one for name, one in block.get("toolUse", {}).items() if name != "type"}
            own = block.get("toolUse", {}).get("type") == "server_tool_use"
            turn.append({"toolUse": plain} if plain and not own else block)
        elif turn and "text" in turn[-1]:
            turn[-1]["text"] += block.get("text", "") + "".join(part["text"] for part in cited)
        else:
            turn.append({"text": block.get("text", "") + "".join(part["text"] for part in cited)})
    return [block for block in turn if block.get("text", "there").strip()]


def next_turn(output: list[Json]) -> Json:
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "done"}
        for item in output
        if item["type"] == "function_call"
    ]
    return {"input": [ASK, *output, *results, {"role": "user", "content": "Go on."}]}


@pytest.mark.parametrize("blocks", recorded())
def test_a_recorded_turn_comes_back_verbatim_and_in_order(
    blocks: list[Json], answer: Callable[..., Json], encode: Callable[..., Json]
) -> None:
    whole = {"output": {"message": {"content": blocks}}, "stopReason": "end_turn"}
    output = answer([json.dumps(whole).encode()], whole=True)["output"]
    body = encode(next_turn(output))
    assert body["messages"][1]["content"] == told(blocks)
    check_converse(body)


@pytest.mark.parametrize("blocks", recorded())
def test_a_recorded_turn_without_its_reasoning_can_be_sent(
    blocks: list[Json], answer: Callable[..., Json], encode: Callable[..., Json]
) -> None:
    whole = {"output": {"message": {"content": blocks}}, "stopReason": "end_turn"}
    output = answer([json.dumps(whole).encode()], whole=True)["output"]
    body = encode(next_turn([item for item in output if item["type"] != "reasoning"]))
    kept = [block for block in told(blocks) if block.keys() & {"text", "toolUse"}]
    kept = [one for one in kept if one.get("toolUse", {}).get("type") != "server_tool_use"]
    assert body["messages"][1]["content"] == kept
    check_converse(body)


def test_a_redacted_thought_and_a_signature_stay_in_their_places(
    answer: Callable[..., Json], encode: Callable[..., Json]
) -> None:
    deltas: list[tuple[int, Json]] = [
        (0, {"reasoningContent": {"text": "Hm, "}}),
        (0, {"reasoningContent": {"text": "so."}}),
        (0, {"reasoningContent": {"signature": "c2ln"}}),
        (1, {"reasoningContent": {"redactedContent": "aGlkZGVu"}}),
        (2, {"text": "Hello."}),
        (3, {"reasoningContent": {"signature": "ZW1wdHk="}}),
        (4, {"text": "World."}),
    ]
    chunks: list[bytes] = []
    for index, delta in deltas:
        payload = {"contentBlockIndex": index, "delta": delta}
        chunks.append(event("contentBlockDelta", payload))
        if index != 0 or "signature" in delta["reasoningContent"]:
            chunks.append(event("contentBlockStop", {"contentBlockIndex": index}))
    output = answer([*chunks, event("messageStop", {"stopReason": "end_turn"})])["output"]
    assert encode(next_turn(output))["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm, so.", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "aGlkZGVu"}},
        {"text": "Hello."},
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "ZW1wdHk="}}},
        {"text": "World."},
    ]
