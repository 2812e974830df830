"""Reports 1, 2, 6, 12 and 13, for Claude, for Gemini and on Bedrock.

The numbers are explained in test_calls.py.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import GatewayError

from .conftest import output_of
from .families import (
    GEMINI_USAGE,
    USER,
    WEATHER,
    bedrock,
    claude,
    gemini,
    gemini_chunks,
    serving,
)

if TYPE_CHECKING:
    from gateway.testing import Script, ScriptedUpstream

    from .conftest import Gateway, Json

THOUGHT = "Rome is in Italy."
SIGNATURE = "c2lnbmVkIGJ5IHRoZSB2ZW5kb3I="
REDACTED = "cmVkYWN0ZWQgYnkgdGhlIHZlbmRvcg=="
FOREIGN = "gAAAAABinvented-blob-of-another-provider"
DUMMY = "skip_thought_signature_validator"
THINKING: Json = {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}
BYE: Json = {"type": "text", "text": "Warm."}
REASONING: Json = {"effort": "low", "summary": "auto"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[tuple[Gateway, ScriptedUpstream]]:
    async with serving(tmp_path) as both:
        yield both


@pytest.fixture
def gateway(served: tuple[Gateway, ScriptedUpstream]) -> Gateway:
    return served[0]


@pytest.fixture
def upstream(served: tuple[Gateway, ScriptedUpstream]) -> ScriptedUpstream:
    return served[1]


def tool_use(number: int) -> Json:
    identifier = f"toolu_{number}"
    return {"type": "tool_use", "id": identifier, "name": "get_weather", "input": {"city": "Rome"}}


def sealed(items: list[Json]) -> list[Json]:
    """Return `items` as clients keep them that only keep `encrypted_content`, as Codex does."""
    return [{**item, "summary": []} if item["type"] == "reasoning" else item for item in items]


def outputs_of(items: list[Json]) -> list[Json]:
    return [output_of(item, "20") for item in items if item["type"] == "function_call"]


async def two_steps(gateway: Gateway, row: str, first: Script, second: Script) -> list[Json]:
    """Answer the calls of the first answer, and return the messages of the second request."""
    gateway.will_say(first, second)
    said = await gateway.stream(row, tools=[WEATHER], reasoning=REASONING)
    history = [USER, *sealed(said.output), *outputs_of(said.output)]
    await gateway.stream(row, tools=[WEATHER], reasoning=REASONING, input=history)
    sent = gateway.sent[1]
    return sent.get("messages") or sent["contents"]


@pytest.mark.parametrize(
    "blocks",
    [
        [THINKING, tool_use(1)],
        [THINKING, {"type": "text", "text": "I look."}, tool_use(1), tool_use(2)],
        [{"type": "redacted_thinking", "data": REDACTED}, THINKING, tool_use(1)],
        [{"type": "thinking", "thinking": "", "signature": SIGNATURE}, tool_use(1)],
        [THINKING, tool_use(1), {**THINKING, "signature": REDACTED}, tool_use(2)],
    ],
    ids=["one", "parallel", "redacted", "without a word", "in between"],
)
async def test_1_claudes_thinking_comes_back_verbatim_and_in_its_place(
    gateway: Gateway, blocks: list[Json]
) -> None:
    messages = await two_steps(gateway, "claude", claude(*blocks), claude(BYE))
    _, assistant, results = messages
    assert assistant == {"role": "assistant", "content": blocks}
    called = [block["id"] for block in blocks if block["type"] == "tool_use"]
    assert [block["tool_use_id"] for block in results["content"]] == called


async def test_1_each_thought_of_claude_goes_back_to_its_own_call(gateway: Gateway) -> None:
    history: list[Json] = [USER]
    steps = [[{**THINKING, "signature": f"c3RlcA{n}="}, tool_use(n)] for n in range(3)]
    for step in steps:
        gateway.will_say(claude(*step))
        said = await gateway.stream(
            "claude", tools=[WEATHER], reasoning=REASONING, input=history, store=False
        )
        history += [*said.output, *outputs_of(said.output)]
    gateway.will_say(claude(BYE))
    await gateway.stream("claude", tools=[WEATHER], reasoning=REASONING, input=history)
    messages = gateway.sent[3]["messages"]
    assert [one["role"] for one in messages] == ["user", *["assistant", "user"] * 3]
    assert [one["content"] for one in messages if one["role"] == "assistant"] == steps


@pytest.mark.parametrize(
    "reasoning",
    [
        {"reasoningText": {"text": THOUGHT, "signature": SIGNATURE}},
        {"redactedContent": REDACTED},
    ],
    ids=["signed", "redacted"],
)
async def test_1_thinking_on_bedrock_comes_back_verbatim_and_in_its_place(
    gateway: Gateway, reasoning: Json
) -> None:
    use = {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Rome"}}
    blocks: list[Json] = [{"reasoningContent": reasoning}, {"toolUse": use}]
    ending = bedrock({"text": "Warm."})
    _, assistant, results = await two_steps(gateway, "bedrock", bedrock(*blocks), ending)
    assert assistant == {"role": "assistant", "content": blocks}
    assert results["content"][0]["toolResult"]["toolUseId"] == "tooluse_1"


def function_call(city: str, **members: Any) -> Json:
    return {"functionCall": {"name": "get_weather", "args": {"city": city}}, **members}


def without_ids(parts: list[Json]) -> list[Json]:
    """Return `parts` without the ids of calls, which Gemini may be told or not."""
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    for call in calls:
        call.pop("id", None)
    return parts


@pytest.mark.parametrize(
    "parts",
    [
        [function_call("Rome", thoughtSignature=SIGNATURE)],
        [function_call("Rome", thoughtSignature=SIGNATURE), function_call("Bern")],
        [
            {"text": "I look.", "thoughtSignature": REDACTED},
            function_call("Rome", thoughtSignature=SIGNATURE),
            function_call("Bern"),
        ],
    ],
    ids=["one", "parallel", "after a text"],
)
@pytest.mark.parametrize("row", ["gemini", "old gemini"])
async def test_2_geminis_signatures_come_back_on_the_parts_that_bore_them(
    gateway: Gateway, row: str, parts: list[Json]
) -> None:
    ending = gemini({"text": "Warm."})
    _, model, results = await two_steps(gateway, row, gemini(*parts), ending)
    assert (model["role"], without_ids(model["parts"])) == ("model", parts)
    calls = [part for part in parts if "functionCall" in part]
    responses = [part["functionResponse"] for part in results["parts"]]
    assert [one["name"] for one in responses] == ["get_weather"] * len(calls)


async def test_2_a_signature_behind_the_text_comes_back(gateway: Gateway) -> None:
    parts: list[Json] = [
        {"text": "War"},
        {"text": "m."},
        {"text": "", "thoughtSignature": SIGNATURE},
    ]
    gateway.will_say(gemini(*parts), gemini({"text": "Bye."}))
    said = await gateway.stream("gemini")
    assert said.text == "Warm."
    await gateway.stream("gemini", input=[USER, *sealed(said.output), USER])
    model = gateway.sent[1]["contents"][1]
    assert model["parts"] == [{"text": "Warm."}, {"text": "", "thoughtSignature": SIGNATURE}]


async def test_2_no_signature_is_told_to_the_client(gateway: Gateway) -> None:
    gateway.will_say(gemini(function_call("Rome", thoughtSignature=SIGNATURE)))
    said = await gateway.stream("gemini", tools=[WEATHER])
    assert SIGNATURE not in str(said.events)


async def test_2_calls_of_another_model_are_signed_with_the_dummy(gateway: Gateway) -> None:
    calls: list[Json] = [
        {"type": "function_call", "call_id": one, "name": "get_weather", "arguments": "{}"}
        for one in ("a", "b", "c")
    ]
    outputs = [output_of(call, "20") for call in calls]
    history = [USER, *calls[:2], *outputs[:2], calls[2], outputs[2]]
    gateway.will_say(gemini({"text": "Warm."}))
    await gateway.stream("gemini", tools=[WEATHER], input=history)
    model = [one for one in gateway.sent[0]["contents"] if one["role"] == "model"]
    signatures = [[part.get("thoughtSignature") for part in one["parts"]] for one in model]
    assert signatures == [[DUMMY, None], [DUMMY]]


ANSWERS = {
    "claude": claude(THINKING, tool_use(1)),
    "gemini": gemini(function_call("Rome", thoughtSignature=SIGNATURE)),
    "bedrock": bedrock(
        {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": SIGNATURE}}},
        {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {}}},
    ),
}
ENDINGS = {
    "claude": claude(BYE),
    "other claude": claude(BYE),
    "gemini": gemini({"text": "Warm."}),
    "bedrock": bedrock({"text": "Warm."}),
}


@pytest.mark.parametrize(
    ("maker", "row", "tenant"),
    [
        ("claude", "gemini", "default"),
        ("claude", "bedrock", "default"),
        ("claude", "other claude", "default"),
        ("claude", "claude", "another"),
        ("gemini", "claude", "default"),
        ("gemini", "gemini", "another"),
        ("bedrock", "claude", "default"),
        ("bedrock", "bedrock", "another"),
    ],
)
async def test_6_state_goes_back_to_no_other(
    gateway: Gateway, maker: str, row: str, tenant: str
) -> None:
    gateway.will_say(ANSWERS[maker], ENDINGS[row])
    said = await gateway.stream(maker, tools=[WEATHER], reasoning=REASONING)
    history = [USER, *sealed(said.output), *outputs_of(said.output)]
    answered = await gateway.stream(row, tenant=tenant, tools=[WEATHER], input=history)
    assert answered.text == "Warm."
    sent = str(gateway.sent[1])
    assert "get_weather" in sent
    for secret in (SIGNATURE, THOUGHT, *(one.get("encrypted_content") for one in said.output)):
        assert secret is None or secret not in sent


@pytest.mark.parametrize("row", ENDINGS)
async def test_6_a_foreign_blob_is_neither_forwarded_nor_shown(gateway: Gateway, row: str) -> None:
    reasoning = {"type": "reasoning", "summary": [], "encrypted_content": FOREIGN}
    call = {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": "{}"}
    gateway.will_say(ENDINGS[row])
    await gateway.stream(row, tools=[WEATHER], input=[USER, reasoning, call, output_of(call, "20")])
    assert FOREIGN not in str(gateway.sent[0])
    assert "get_weather" in str(gateway.sent[0])


def usage_of(response: Json) -> tuple[int, int, int, int, int]:
    """Return the input, of it what was cached and written, the output, and of it the reasoning."""
    usage = response["usage"]
    into, out = usage["input_tokens_details"], usage["output_tokens_details"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    return (
        usage["input_tokens"],
        into["cached_tokens"],
        into["cache_write_tokens"],
        usage["output_tokens"],
        out["reasoning_tokens"],
    )


CACHED = {"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 5}


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"output_tokens": 50}, (3, 0, 0, 50, 0)),
        ({**CACHED, "output_tokens": 50}, (115, 100, 5, 50, 0)),
        (
            {"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 30}},
            (3, 0, 0, 50, 30),
        ),
        ({"input_tokens": None, "output_tokens": 50}, (3, 0, 0, 50, 0)),
    ],
    ids=["of the output", "of all", "of thinking", "of nothing"],
)
async def test_12_claudes_later_usage_replaces_the_earlier(
    gateway: Gateway, usage: Json, counted: tuple[int, ...]
) -> None:
    gateway.will_say(claude(BYE, usage=usage))
    said = await gateway.stream("claude")
    assert usage_of(said.response) == counted


async def test_12_cached_tokens_on_bedrock_are_part_of_the_input(gateway: Gateway) -> None:
    usage = {
        "inputTokens": 10,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 5,
        "outputTokens": 50,
        "totalTokens": 165,
    }
    gateway.will_say(bedrock({"text": "Warm."}, usage=usage))
    said = await gateway.stream("bedrock")
    assert usage_of(said.response) == (115, 100, 5, 50, 0)


async def test_12_gemini_may_leave_out_later_what_it_has_counted(gateway: Gateway) -> None:
    text = {"content": {"role": "model", "parts": [{"text": "Warm."}]}, "index": 0}
    first = {**GEMINI_USAGE, "thoughtsTokenCount": 30, "cachedContentTokenCount": 2}
    gateway.will_say(
        gemini_chunks(
            {"candidates": [text], "usageMetadata": first},
            {
                "candidates": [{"finishReason": "STOP", "index": 0}],
                "usageMetadata": {**GEMINI_USAGE, "candidatesTokenCount": 9},
            },
        )
    )
    said = await gateway.stream("gemini")
    assert usage_of(said.response) == (3, 2, 0, 39, 30)


async def test_12_a_breakpoint_of_the_prompt_cache_reaches_claude(gateway: Gateway) -> None:
    part = {
        "type": "input_text",
        "text": "a long book",
        "prompt_cache_breakpoint": {"mode": "explicit"},
    }
    gateway.will_say(claude(BYE))
    await gateway.stream("claude", input=[{"role": "user", "content": [part]}])
    [block] = gateway.sent[0]["messages"][0]["content"]
    assert block["cache_control"]["type"] == "ephemeral"


@pytest.mark.parametrize("name", ["temperature", "top_p"])
async def test_13_a_new_claude_is_not_asked_to_sample(gateway: Gateway, name: str) -> None:
    with pytest.raises(GatewayError) as raised:
        await gateway.ask("new claude", **{name: 0.5})
    assert (raised.value.status, raised.value.param) == (400, name)
    assert gateway.sent == []


async def test_13_an_older_claude_samples_by_the_version_that_lets_it(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    gateway.will_say(claude(BYE), claude(BYE))
    await gateway.stream("claude", temperature=0.5)
    await gateway.stream("claude")
    sampled, other = gateway.sent
    versions = [one.headers["anthropic-version"] for one in upstream.requests]
    assert (sampled["temperature"], versions[0]) == (0.5, "2023-06-01")
    assert not {"temperature", "top_p", "top_k"} & set(other)


async def test_13_effort_is_a_budget_for_old_models_and_a_level_for_new_ones(
    gateway: Gateway,
) -> None:
    endings = (claude(BYE), claude(BYE), gemini({"text": "Warm."}), gemini({"text": "Warm."}))
    gateway.will_say(*endings)
    for row in ("claude", "new claude", "old gemini", "gemini"):
        await gateway.stream(row, reasoning={"effort": "low"})
    old, new, budgeted, levelled = gateway.sent
    assert old["thinking"]["type"] == "enabled"
    assert 1024 <= old["thinking"]["budget_tokens"] < old["max_tokens"]
    assert new["thinking"]["type"] == "adaptive"
    assert new["output_config"]["effort"] == "low"
    assert "thinkingBudget" in budgeted["generationConfig"]["thinkingConfig"]
    config = levelled["generationConfig"]["thinkingConfig"]
    assert config["thinkingLevel"].lower() == "low"
    assert "thinkingBudget" not in config
