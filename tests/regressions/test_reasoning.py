"""Reports 1, 2, 6 and 14: reasoning that other bridges lose, misplace, or show to the wrong model.

The numbers are explained in test_calls.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .conftest import output_of

if TYPE_CHECKING:
    from .conftest import Gateway, Json, Says

THOUGHT = "Rome is in Italy."
ARGUMENTS = '{"city": "Rome"}'
USER: Json = {"role": "user", "content": "?"}
WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


def detail(**members: Any) -> Json:
    return {"type": "reasoning.text", "index": 0, "format": "invented-v1", **members}


# How a vendor says its reasoning, and what it wants back on the message with the call.
THINKING: dict[str, tuple[list[Json], Json]] = {
    "deepseek": (
        [{"reasoning_content": THOUGHT[:7]}, {"reasoning_content": THOUGHT[7:]}],
        {"reasoning_content": THOUGHT},
    ),
    "moonshot": ([{"reasoning_content": THOUGHT}], {"reasoning_content": THOUGHT}),
    "vllm": ([{"reasoning": THOUGHT}], {"reasoning": THOUGHT}),
    "openrouter": (
        [
            {"reasoning": THOUGHT[:7], "reasoning_details": [detail(text=THOUGHT[:7])]},
            {"reasoning": THOUGHT[7:], "reasoning_details": [detail(text=THOUGHT[7:])]},
            # the signature comes later, by itself
            {"reasoning_details": [detail(signature="c2lnbmVk")]},
        ],
        {"reasoning_details": [detail(text=THOUGHT, signature="c2lnbmVk")]},
    ),
    "mistral": (
        [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}]}],
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}]},
    ),
}


def without_content(item: Json) -> Json:
    """Return `item` as clients keep it that only keep `encrypted_content`, as Codex does."""
    return {**item, "content": None, "summary": []} if item["type"] == "reasoning" else item


@pytest.mark.parametrize("sealed", [False, True], ids=["as it came", "only encrypted"])
@pytest.mark.parametrize("row", THINKING)
async def test_1_thinking_stays_before_the_call_that_it_led_to(
    gateway: Gateway, says: Says, row: str, *, sealed: bool
) -> None:
    thinking, kept = THINKING[row]
    call = {"tool_calls": [says.call(0, "get_weather", ARGUMENTS)]}
    gateway.will_say(says.stream(*thinking, call), says.stream({"content": "Warm."}))
    first = await gateway.stream(row, tools=[WEATHER])
    assert [item["type"] for item in first.output] == ["reasoning", "function_call"]
    [reasoning] = first.of("reasoning")
    parts = [*(reasoning.get("content") or ()), *reasoning["summary"]]
    assert "".join(part["text"] for part in parts) == THOUGHT
    output = [without_content(item) if sealed else item for item in first.output]
    history = [USER, *output, output_of(first.output[1], "20")]
    await gateway.stream(row, tools=[WEATHER], input=history)
    _, assistant, tool = gateway.sent[1]["messages"]
    assert {name: assistant[name] for name in kept} == kept
    [called] = assistant["tool_calls"]
    assert called["function"] == {"name": "get_weather", "arguments": ARGUMENTS}
    assert tool["tool_call_id"] == called["id"]


async def test_1_each_thought_goes_back_to_its_own_call(gateway: Gateway, says: Says) -> None:
    history: list[Json] = [USER]
    for number, thought in enumerate(("First Rome.", "Then Bern.")):
        call = {"tool_calls": [says.call(number, "get_weather", ARGUMENTS)]}
        gateway.will_say(says.stream({"reasoning_content": thought}, call))
        answered = await gateway.stream("deepseek", tools=[WEATHER], input=history)
        history += [*answered.output, output_of(answered.of("function_call")[0], "20")]
    gateway.will_say(says.stream({"content": "Warm."}))
    await gateway.stream("deepseek", tools=[WEATHER], input=history)
    messages = gateway.sent[2]["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "tool", "assistant", "tool"]
    assert [messages[1]["reasoning_content"], messages[3]["reasoning_content"]] == [
        "First Rome.",
        "Then Bern.",
    ]


async def test_1_reasoning_is_never_told_as_text(gateway: Gateway, says: Says) -> None:
    gateway.will_say(says.stream({"reasoning": THOUGHT}, {"content": "Warm."}))
    first = await gateway.stream("groq")
    assert first.text == "Warm."
    gateway.will_say(says.stream({"content": "ok"}))
    await gateway.stream("groq", input=[USER, *first.output, USER])
    assert "Warm." in str(gateway.sent[1])
    for message in gateway.sent[1]["messages"]:
        assert THOUGHT not in str(message.get("content"))


async def test_2_the_signatures_of_parallel_calls_come_back_on_their_calls(
    gateway: Gateway, says: Says
) -> None:
    signed = {"extra_content": {"google": {"thought_signature": "c2lnbmVk"}}}
    calls: list[Json] = [
        {**says.call(0, "get_weather", ARGUMENTS), **signed},
        says.call(1, "get_weather", ARGUMENTS),
    ]
    gateway.will_say(says.stream({"tool_calls": calls}), says.stream({"content": "Warm."}))
    first = await gateway.stream("gemini_chat", tools=[WEATHER])
    called = first.of("function_call")
    assert [call["call_id"] for call in called] == ["call_0", "call_1"]
    history = [USER, *first.output, *(output_of(call, "20") for call in called)]
    await gateway.stream("gemini_chat", tools=[WEATHER], input=history)
    sent = gateway.sent[1]["messages"][1]["tool_calls"]
    assert sent[0]["extra_content"] == signed["extra_content"]
    assert "extra_content" not in sent[1]


FOREIGN = "gAAAAABinvented-blob-of-another-provider"


@pytest.mark.parametrize(
    ("maker", "row", "tenant"),
    [
        ("deepseek", "moonshot", "default"),
        ("openrouter", "vercel_ai_gateway", "default"),
        ("openrouter", "openrouter", "another"),
    ],
    ids=["to another model", "with details", "to another tenant"],
)
async def test_6_state_goes_back_to_no_other(
    gateway: Gateway, says: Says, maker: str, row: str, tenant: str
) -> None:
    thinking, _ = THINKING[maker]
    call = {"tool_calls": [says.call(0, "get_weather", ARGUMENTS)]}
    gateway.will_say(says.stream(*thinking, call), says.stream({"content": "Warm."}))
    first = await gateway.stream(maker, tools=[WEATHER])
    reasoning, called = map(without_content, first.output)
    history = [USER, reasoning, called, output_of(called, "20")]
    answered = await gateway.stream(row, tenant=tenant, tools=[WEATHER], input=history)
    assert answered.text == "Warm."
    sent = str(gateway.sent[1])
    assert reasoning["encrypted_content"] not in sent
    assert "c2lnbmVk" not in sent
    assert THOUGHT not in sent


@pytest.mark.parametrize("row", ["openrouter", "deepseek", "openai_compatible"])
async def test_6_a_foreign_blob_is_neither_forwarded_nor_shown(
    gateway: Gateway, says: Says, row: str
) -> None:
    reasoning = {"type": "reasoning", "summary": [], "encrypted_content": FOREIGN}
    call = {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": "{}"}
    gateway.will_say(says.stream({"content": "Warm."}))
    history = [USER, reasoning, call, output_of(call, "20")]
    await gateway.stream(row, tools=[WEATHER], input=history)
    assert FOREIGN not in str(gateway.sent[0])
    assert gateway.sent[0]["messages"][1]["tool_calls"][0]["id"] == "a"


async def test_6_state_is_told_where_clients_look_for_it(gateway: Gateway, says: Says) -> None:
    thinking, _ = THINKING["openrouter"]
    gateway.will_say(says.stream(*thinking, {"content": "Warm."}))
    answered = await gateway.stream("openrouter")
    [reasoning] = answered.of("reasoning")
    [done] = [
        event["item"]
        for event in answered.named("response.output_item.done")
        if event["item"]["type"] == "reasoning"
    ]
    assert done["encrypted_content"] == reasoning["encrypted_content"]
    assert "c2lnbmVk" not in reasoning["encrypted_content"]


@pytest.mark.parametrize("row", ["openai_compatible", "deepseek", "openrouter", "vllm", "mistral"])
@pytest.mark.parametrize("followed", [True, False], ids=["by the user", "by nothing"])
async def test_14_reasoning_without_what_it_led_to_makes_no_message(
    gateway: Gateway, says: Says, row: str, *, followed: bool
) -> None:
    thinking, _ = THINKING.get(row, THINKING["deepseek"])
    gateway.will_say(says.stream(*thinking, finish="length"), says.stream({"content": "Warm."}))
    first = await gateway.stream(row)
    assert [item["type"] for item in first.output] == ["reasoning"]
    assert first.response["status"] == "incomplete"
    again: list[Json] = [USER] if followed else []
    await gateway.stream(row, input=[USER, *first.output, *again])
    assert [one["role"] for one in gateway.sent[1]["messages"]] == ["user"] * (1 + followed)


@pytest.mark.parametrize("row", ["openai_compatible", "deepseek", "openrouter", "vllm", "mistral"])
async def test_14_a_call_without_its_reasoning_is_kept(
    gateway: Gateway, says: Says, row: str
) -> None:
    call = {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": "{}"}
    gateway.will_say(says.stream({"content": "Warm."}))
    await gateway.stream(row, tools=[WEATHER], input=[USER, call, output_of(call, "20")])
    _, assistant, tool = gateway.sent[0]["messages"]
    assert assistant["tool_calls"][0]["function"]["name"] == "get_weather"
    assert tool["content"] == "20"
