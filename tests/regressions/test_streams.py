"""Reports 4, 5, 8 and 9: text told twice, ids that change, streams that end wrongly.

The numbers are explained in test_calls.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import GatewayError
from gateway.testing import Fault, Step, json_answer

if TYPE_CHECKING:
    from .conftest import Answered, Gateway, Json, Says

TEXT = "Hi, this is Alex. Is this John?"
TERMINAL = ("response.completed", "response.incomplete", "response.failed")
DONE = b"data: [DONE]\n\n"


def told(answered: Answered) -> str:
    deltas = answered.named("response.output_text.delta")
    return "".join(event["delta"] for event in deltas)


@pytest.mark.parametrize("row", ["openai_compatible", "perplexity"])
async def test_4_text_that_is_repeated_beside_each_delta_is_told_once(
    gateway: Gateway, says: Says, row: str
) -> None:
    ends = [4, 10, len(TEXT)]
    chunks: list[Json] = [
        {
            "index": 0,
            "delta": {"content": TEXT[start:end]},
            "message": {"role": "assistant", "content": TEXT[:end]},
            "finish_reason": "stop" if end == ends[-1] else None,
        }
        for start, end in zip([0, *ends], ends, strict=False)
    ]
    gateway.will_say(says.raw(*(says.frame({"choices": [one]}) for one in chunks)))
    answered = await gateway.stream(row)
    assert told(answered) == answered.text == TEXT
    assert len(answered.output) == 1


async def test_4_a_whole_message_at_the_end_adds_nothing(gateway: Gateway, says: Says) -> None:
    last = {"index": 0, "message": {"content": TEXT}, "finish_reason": "stop"}
    gateway.will_say(
        says.raw(
            *(says.chunk({"content": word}) for word in (TEXT[:9], TEXT[9:])),
            says.frame({"choices": [last]}),
            DONE,
        )
    )
    answered = await gateway.stream("openai_compatible")
    assert told(answered) == answered.text == TEXT


async def test_4_text_after_an_earlier_call_is_told_once(gateway: Gateway, says: Says) -> None:
    call = {"type": "function_call", "call_id": "a", "name": "look_up", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "a", "output": "John"}
    history = [{"role": "user", "content": "?"}, call, output]
    tool = {"type": "function", "name": "look_up", "parameters": {}, "strict": False}
    gateway.will_say(says.stream({"content": TEXT[:9]}, {"content": TEXT[9:]}))
    answered = await gateway.stream(
        "openai_compatible", input=history, tools=[tool], reasoning={"effort": "none"}
    )
    assert told(answered) == answered.text == TEXT


async def test_5_an_item_has_one_id_from_its_first_event_to_the_response(
    gateway: Gateway, says: Says
) -> None:
    deltas: list[Json] = [
        {"reasoning": "Let "},
        {"reasoning": "me see."},
        {"content": "One "},
        {"content": "moment."},
        {"tool_calls": [says.call(0, "look_up", "")]},
        {"tool_calls": [{"index": 0, "id": "", "function": {"arguments": "{}"}}]},
    ]
    # an upstream that names each chunk anew
    frames = [says.chunk(delta, id=f"chatcmpl-{n}") for n, delta in enumerate(deltas)]
    gateway.will_say(says.raw(*frames, says.chunk({}, "tool_calls", id="stub"), DONE))
    answered = await gateway.stream("openai_compatible")
    assert len(answered.output) == 3
    for index, item in enumerate(answered.output):
        mine = [event for event in answered.events if event.get("output_index") == index]
        ids = {event.get("item_id") or event["item"]["id"] for event in mine}
        assert ids == {item["id"]}
    assert {event["response"]["id"] for event in answered.events if "response" in event} == {
        answered.response["id"]
    }
    assert answered.response["id"].startswith("resp_")
    assert answered.output[2]["call_id"] == "call_0"


def ending(name: str, says: Says) -> list[Step]:
    text, finish = says.chunk({"content": TEXT}), says.chunk({}, "stop")
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    endings: dict[str, list[Step]] = {
        "finished": [text, finish, DONE],
        "finished without [DONE]": [text, finish],
        "[DONE] without a finish": [text, DONE],
        "finished twice": [text, finish, finish, DONE, DONE],
        "finished with the text": [says.chunk({"content": TEXT}, "stop"), DONE],
        "usage after the finish": [text, finish, says.frame({"choices": [], "usage": usage}), DONE],
        "more after the end": [text, finish, DONE, text],
        "broken after the finish": [text, finish, Fault.RESET],
        "cut by the limit": [text, says.chunk({}, "length"), DONE],
        "filtered": [text, says.chunk({}, "content_filter"), DONE],
        "ended in the middle": [text],
        "closed in the middle": [text, Fault.CUT],
        "broken in the middle": [text, Fault.RESET],
        "broken off by the model": [text, says.chunk({}, "network_error"), DONE],
        "ended in a frame": [text, b'data: {"choices": [{"index": 0, "del'],
    }
    return endings[name]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("finished", "completed"),
        ("finished without [DONE]", "completed"),
        ("[DONE] without a finish", "completed"),
        ("finished twice", "completed"),
        ("finished with the text", "completed"),
        ("usage after the finish", "completed"),
        ("more after the end", "completed"),
        ("broken after the finish", "completed"),
        ("cut by the limit", "incomplete"),
        ("filtered", "incomplete"),
        ("ended in the middle", "failed"),
        ("closed in the middle", "failed"),
        ("broken in the middle", "failed"),
        ("broken off by the model", "failed"),
        ("ended in a frame", "failed"),
    ],
)
async def test_8_a_stream_ends_once_and_as_it_did_upstream(
    gateway: Gateway, says: Says, name: str, status: str
) -> None:
    gateway.will_say(says.raw(*ending(name, says)))
    answered = await gateway.stream("openai_compatible")
    kinds = [event["type"] for event in answered.events]
    assert [kind for kind in kinds if kind in TERMINAL] == [f"response.{status}"]
    assert kinds[-1] == f"response.{status}"
    assert answered.response["status"] == status
    assert told(answered) == answered.text == TEXT
    done = answered.named("response.output_item.done")
    assert [event["item"] for event in done] == answered.output


@pytest.mark.parametrize(
    "body", [[], [DONE], [b": keep-alive\n\n"]], ids=["nothing", "end", "ping"]
)
async def test_8_an_answer_without_a_word_is_a_failure(
    gateway: Gateway, says: Says, body: list[Step]
) -> None:
    gateway.will_say(says.raw(*body), says.raw(*body))
    answered = await gateway.stream("openai_compatible")
    assert (answered.response["status"], answered.output) == ("failed", [])
    with pytest.raises(GatewayError) as raised:
        await gateway.ask("openai_compatible")
    assert raised.value.status == 502


def failures(says: Says) -> dict[str, bytes]:
    error = {"message": "out of capacity", "type": "server_error", "code": 503}
    broken: Any = {"index": 0, "delta": {}, "error": error}
    return {
        "a member": says.frame({"error": error}),
        "a text": says.frame({"error": "out of capacity"}),
        "an event": f"event: error\ndata: {json.dumps({'error': error})}\n\n".encode(),
        "a bare event": f"event: error\ndata: {json.dumps(error)}\n\n".encode(),
        "in the choice": says.frame({"choices": [broken]}),
        "in x_groq": says.frame({"choices": [], "x_groq": {"error": error}}),
        "with the finish": says.chunk({}, "error", error=error),
    }


SHAPES = [
    "a member",
    "a text",
    "an event",
    "a bare event",
    "in the choice",
    "in x_groq",
    "with the finish",
]


@pytest.mark.parametrize("shape", SHAPES)
async def test_9_a_failure_in_mid_stream_is_told_flat_nested_and_in_the_response(
    gateway: Gateway, says: Says, shape: str
) -> None:
    gateway.will_say(says.raw(says.chunk({"content": TEXT}), failures(says)[shape], DONE))
    answered = await gateway.stream("openai_compatible")
    *_, error, failed = answered.events
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert {"code", "message", "param", "sequence_number"} <= set(error)
    assert {"type", "code", "message", "param"} <= set(error["error"])
    assert error["message"] == error["error"]["message"]
    assert "out of capacity" in error["message"]
    assert failed["response"]["error"]["message"] == error["message"]
    assert failed["response"]["error"]["code"] == "server_error"  # the nearest that OpenAI has
    assert error["code"] == error["error"]["code"]
    assert isinstance(error["code"], str)
    assert answered.text == TEXT


@pytest.mark.parametrize("shape", SHAPES)
async def test_9_a_failure_before_the_first_word_is_a_plain_error(
    gateway: Gateway, says: Says, shape: str
) -> None:
    gateway.will_say(says.raw(failures(says)[shape], DONE))
    with pytest.raises(GatewayError, match="out of capacity") as raised:
        await gateway.stream("openai_compatible")
    assert raised.value.status >= 500


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "too long", "type": "invalid_request_error", "code": 400}},
        {"error": "too long"},
        {"detail": "too long"},
        {"object": "error", "message": "too long", "type": "BadRequestError", "code": 400},
        {"message": "too long"},
        {"detail": [{"loc": ["body"], "msg": "too long", "type": "value_error"}]},
    ],
    ids=["object", "text", "detail", "vllm", "message", "list"],
)
async def test_9_an_error_has_openais_shape_whatever_the_upstreams(
    gateway: Gateway, body: Json
) -> None:
    gateway.will_say(json_answer(body, status=400))
    with pytest.raises(GatewayError, match="too long") as raised:
        await gateway.stream("openai_compatible")
    assert raised.value.status == 400
