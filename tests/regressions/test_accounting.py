"""Reports 12 and 13: tokens counted wrongly, and parameters that nobody asked for.

The numbers are explained in test_calls.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import GatewayError
from gateway.testing import json_answer

if TYPE_CHECKING:
    from .conftest import Gateway, Json, Says

PLAIN = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
USAGES: dict[str, tuple[Json, tuple[int, int, int, int, int]]] = {
    # what is reported: input, of that cached, of that written to the cache, output, reasoning
    "plain": (PLAIN, (100, 0, 0, 20, 0)),
    "cached": ({**PLAIN, "prompt_tokens_details": {"cached_tokens": 80}}, (100, 80, 0, 20, 0)),
    "written to the cache": (
        {**PLAIN, "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 40}},
        (100, 8, 40, 20, 0),
    ),
    "deepseek": (
        {**PLAIN, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
        (100, 64, 0, 20, 0),
    ),
    "moonshot": ({**PLAIN, "cached_tokens": 64}, (100, 64, 0, 20, 0)),
    "reasoning in the completion": (
        {**PLAIN, "completion_tokens_details": {"reasoning_tokens": 15}},
        (100, 0, 0, 20, 15),
    ),
    "reasoning beside the completion": (
        {**PLAIN, "total_tokens": 135, "completion_tokens_details": {"reasoning_tokens": 15}},
        (100, 0, 0, 35, 15),
    ),
    "details that are null": (
        {**PLAIN, "prompt_tokens_details": None, "completion_tokens_details": None},
        (100, 0, 0, 20, 0),
    ),
    "no total": ({"prompt_tokens": 100, "completion_tokens": 20}, (100, 0, 0, 20, 0)),
}


def counted(usage: Json) -> tuple[int, int, int, int, int]:
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    return (
        usage["input_tokens"],
        usage["input_tokens_details"]["cached_tokens"],
        usage["input_tokens_details"]["cache_write_tokens"],
        usage["output_tokens"],
        usage["output_tokens_details"]["reasoning_tokens"],
    )


@pytest.mark.parametrize("place", ["last chunk", "after it", "every chunk", "x_groq", "twice"])
@pytest.mark.parametrize("name", USAGES)
async def test_12_tokens_are_counted_once_wherever_they_are_reported(
    gateway: Gateway, says: Says, name: str, place: str
) -> None:
    reported, expected = USAGES[name]
    text, after = says.chunk({"content": "hello"}), {"choices": [], "usage": reported}
    groq = {"x_groq": {"id": "req_1", "usage": reported}}
    half = {name: value // 2 for name, value in PLAIN.items()}
    streams = {
        "last chunk": [text, says.chunk({}, "stop", usage=reported)],
        "after it": [text, says.chunk({}, "stop"), says.frame(after)],
        "every chunk": [
            says.chunk({"content": "hello"}, usage=half),
            says.chunk({}, "stop", usage=reported),
        ],
        "x_groq": [text, says.chunk({}, "stop", **groq)],
        "twice": [text, says.chunk({}, "stop", **groq), says.frame({**after, **groq})],
    }
    gateway.will_say(says.raw(*streams[place], b"data: [DONE]\n\n"))
    answered = await gateway.stream("openai_compatible")
    assert counted(answered.response["usage"]) == expected


@pytest.mark.parametrize("name", USAGES)
async def test_12_a_whole_answer_counts_the_same(gateway: Gateway, says: Says, name: str) -> None:
    reported, expected = USAGES[name]
    message = {"role": "assistant", "content": "hello"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    gateway.will_say(json_answer({"choices": [choice], "usage": reported}))
    answer = await gateway.ask("openai_compatible")
    assert counted(answer["usage"]) == expected


@pytest.mark.parametrize("row", ["openai_compatible", "openai_chat", "openrouter", "groq", "vllm"])
async def test_12_usage_is_asked_for(gateway: Gateway, says: Says, row: str) -> None:
    gateway.will_say(says.stream({"content": "hello"}))
    await gateway.ask(row)
    assert gateway.sent[0]["stream_options"] == {"include_usage": True}


async def test_12_the_key_of_a_prompt_cache_goes_where_it_is_known(
    gateway: Gateway, says: Says
) -> None:
    gateway.will_say(says.stream({"content": "hello"}), says.stream({"content": "hello"}))
    for row in ("openai_chat", "openai_compatible"):
        await gateway.stream(row, prompt_cache_key="mine")
    assert gateway.sent[0]["prompt_cache_key"] == "mine"
    assert "prompt_cache_key" not in gateway.sent[1]


ROWS = ["openai_compatible", "openai_chat", "groq", "mistral", "deepseek", "openrouter", "ollama"]
ALWAYS = {"model", "messages", "stream", "stream_options"}


@pytest.mark.parametrize("row", ROWS)
async def test_13_a_parameter_that_nobody_gave_is_not_sent(
    gateway: Gateway, says: Says, row: str
) -> None:
    gateway.will_say(says.stream({"content": "hello"}))
    await gateway.stream(row)
    assert set(gateway.sent[0]) <= ALWAYS


@pytest.mark.parametrize("row", ROWS)
async def test_13_sampling_parameters_go_as_they_were_given(
    gateway: Gateway, says: Says, row: str
) -> None:
    given: dict[str, Any] = {"temperature": 0, "top_p": 0.25}
    gateway.will_say(says.stream({"content": "hello"}))
    await gateway.stream(row, **given)
    assert {name: gateway.sent[0].get(name) for name in given} == given


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("openai_chat", "max_completion_tokens"),
        ("groq", "max_completion_tokens"),
        ("vllm", "max_completion_tokens"),
        ("deepseek", "max_tokens"),
        ("mistral", "max_tokens"),
        ("openrouter", "max_tokens"),
        ("ollama", "max_tokens"),
        ("openai_compatible", "max_tokens"),
    ],
)
async def test_13_the_limit_has_the_name_that_the_upstream_knows(
    gateway: Gateway, says: Says, row: str, field: str
) -> None:
    gateway.will_say(says.stream({"content": "hello"}))
    await gateway.stream(row, max_output_tokens=50)
    limits = {name: value for name, value in gateway.sent[0].items() if name.startswith("max_")}
    assert limits == {field: 50}


async def test_13_a_model_that_refuses_a_parameter_says_so_to_the_client(
    gateway: Gateway,
) -> None:
    error = {
        "message": "Unsupported value: 'temperature' does not support 0 with this model.",
        "type": "invalid_request_error",
        "param": "temperature",
        "code": "unsupported_value",
    }
    gateway.will_say(json_answer({"error": error}, status=400))
    with pytest.raises(GatewayError, match="'temperature' does not support 0") as raised:
        await gateway.stream("openai_chat", temperature=0)
    assert raised.value.status == 400
    assert (raised.value.param, raised.value.code) == ("temperature", "unsupported_value")
    assert len(gateway.sent) == 1
