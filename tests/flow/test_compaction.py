"""A summary, written by the model, takes the place of what came before it, for any model."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import ModelEntry
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.errors import GatewayError, InvalidRequestError, UpstreamProtocolError
from gateway.stream.lifecycle import violations
from gateway.testing import Script, ScriptedUpstream, event_stream, json_answer

if TYPE_CHECKING:
    from .conftest import Gateway, OpenGateway, Says

Deploy = Callable[..., ModelEntry]
Json = dict[str, Any]

TRIGGER = {"type": "compaction_trigger"}
FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object"}}
TALK: list[Json] = [
    {"role": "developer", "content": "Speak like a sailor."},
    {"role": "user", "content": "Where is the cat?"},
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":"roof"}'},
    {"type": "function_call_output", "call_id": "c1", "output": "a cat"},
    {"role": "assistant", "content": "On the roof, aye."},
]
LONG = [{"type": "compaction", "compact_threshold": 1000}]
NEVER = [{"type": "compaction", "compact_threshold": 1_000_000}]


def answer(*deltas: Json, finish: str = "stop", usage: int = 0) -> Script:
    """An invented answer; `usage` is how many tokens went in."""
    chunks: list[Json] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if usage:
        spent = {"prompt_tokens": usage, "completion_tokens": 10, "total_tokens": usage + 10}
        chunks.append({"choices": [], "usage": spent})
    frames = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return event_stream(*frames, b"data: [DONE]\n\n")


def words(text: str, usage: int = 0) -> Script:
    return answer({"content": text}, usage=usage)


def too_long() -> Script:
    error = {"message": "maximum context length is 10 tokens", "code": "context_length_exceeded"}
    return json_answer({"error": error}, status=400)


async def compact(gateway: Gateway, tenant: str = "default", **body: Any) -> Json:
    envelope = Envelope(
        operation="compact",
        request_id="req_1",
        body=json.dumps({"model": "fast", **body}).encode(),
    )
    reply = await gateway.engine.respond(envelope, Principal(tenant=tenant))
    assert isinstance(reply, Whole)
    return json.loads(reply.body)


def sent(upstream: ScriptedUpstream, number: int = -1) -> list[str]:
    """Return who said what in a request, each message in a line of its own."""
    return [
        f"{message['role']}: {_last_line(message.get('content')) or _calls(message)}"
        for message in upstream.requests[number].json()["messages"]
    ]


def _last_line(content: Any) -> str:
    text = content if isinstance(content, str) else "".join(p["text"] for p in content or ())
    return text.rpartition("\n")[2]


def _calls(message: Json) -> str:
    return " ".join(call["function"]["name"] for call in message.get("tool_calls", ()))


def transcript(upstream: ScriptedUpstream, number: int = -1) -> str:
    """Return what the model was asked to summarise."""
    messages = upstream.requests[number].json()["messages"]
    assert [message["role"] for message in messages][1:] == ["user"]
    text: str = messages[1]["content"]
    return text.partition("<transcript>\n")[2].partition("\n</transcript>")[0]


@pytest.fixture
def chatty(upstream: ScriptedUpstream, deploy: Deploy) -> ModelEntry:
    return deploy(upstream, model="openai_compatible/chat")


@pytest.fixture
async def gateway(open_gateway: OpenGateway, chatty: ModelEntry) -> AsyncGenerator[Gateway]:
    async with open_gateway(chatty) as gateway:
        yield gateway


async def test_a_trigger_is_answered_with_one_compaction(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("They look for the cat.", usage=90))
    options: Json = {"tools": [FUNCTION], "tool_choice": "required", "store": False}
    events = await gateway.stream(input=[*TALK, TRIGGER], **options)
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "compaction.compacting",
        "output_item.done",
        "completed",
    ]
    assert violations(events) == []
    response = events[-1]["response"]
    assert [item["type"] for item in response["output"]] == ["compaction"]
    assert response["output"][0]["id"].startswith("cmp_")
    assert response["usage"]["input_tokens"] == 90
    assert response["tools"], "the answer repeats what was asked"
    asked = upstream.requests[0].json()
    assert not {"tools", "tool_choice"} & asked.keys()
    assert transcript(upstream) == (
        "[user]\nWhere is the cat?\n\n"
        '[call c1 of the tool look]\n{"at":"roof"}\n\n'
        "[output of c1]\na cat\n\n"
        "[assistant]\nOn the roof, aye."
    )


async def test_a_compaction_stands_for_what_came_before(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("S."), words("Aye."))
    made = await gateway.ask(input=[*TALK, TRIGGER])
    new = {"role": "user", "content": "And now?"}
    await gateway.ask(input=[*TALK, *made["output"], new])
    assert "replaced by a summary" in upstream.requests[-1].body.decode()
    assert sent(upstream) == [
        "system: Speak like a sailor.",
        "user: Where is the cat?",
        "user: S.",
        "user: And now?",
    ]


async def test_a_chain_goes_on_after_a_trigger(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("On the roof."), words("S."), words("Yes."), words("Again."))
    first = await gateway.ask(input="Where is the cat?")
    second = await gateway.ask(input=[TRIGGER], previous_response_id=first["id"])
    assert transcript(upstream) == "[user]\nWhere is the cat?\n\n[assistant]\nOn the roof."
    third = await gateway.ask(input="Sure?", previous_response_id=second["id"])
    assert "On the roof." not in upstream.requests[-1].body.decode()
    assert sent(upstream)[-1] == "user: Sure?"
    await gateway.ask(input="And now?", previous_response_id=third["id"])
    assert sent(upstream)[-2:] == ["assistant: Yes.", "user: And now?"]


async def test_a_trigger_that_is_not_last_is_refused(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        await gateway.ask(input=[TRIGGER, {"role": "user", "content": "Hi"}])
    assert raised.value.param == "input[0].type"
    assert not upstream.requests


async def test_a_foreign_compaction_is_refused_by_its_path(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("S."))
    of_another = (await compact(gateway, tenant="other", input="Hello"))["output"][-1]
    foreign = {"type": "compaction", "encrypted_content": "gAAAAABopaque"}
    for item in (of_another, foreign):
        with pytest.raises(InvalidRequestError) as raised:
            await gateway.ask(input=[{"role": "user", "content": "Hi"}, item])
        assert raised.value.code == "invalid_encrypted_content"
        assert raised.value.param == "input[1].encrypted_content"
    assert len(upstream.requests) == 1


async def test_compact_returns_what_users_said_and_a_compaction(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("S.", usage=50), words("Aye."))
    compacted = await compact(gateway, input=TALK, instructions="Mind the cat.")
    assert compacted["object"] == "response.compaction"
    assert compacted["usage"]["input_tokens"] == 50
    said, compaction = compacted["output"]
    assert said["role"] == "user"
    assert said["content"] == [{"type": "input_text", "text": "Where is the cat?"}]
    assert said["id"].startswith("msg_")
    assert compaction["type"] == "compaction"
    assert "Mind the cat." in upstream.requests[0].json()["messages"][0]["content"]
    await gateway.ask(input=[*compacted["output"], {"role": "user", "content": "Now?"}])
    body = upstream.requests[-1].body.decode()
    assert "Where is the cat?" in body
    assert "S." in body
    assert "aye" not in body


async def test_compacting_twice_tells_the_first_summary_to_the_second(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("First."), words("Second."), words("Aye."))
    first = await compact(gateway, input=TALK)
    second = await compact(gateway, input=[*first["output"], TALK[-1]])
    assert "First." in transcript(upstream)
    assert [item["type"] for item in second["output"]] == ["message", "compaction"]
    await gateway.ask(input=[*second["output"], {"role": "user", "content": "Now?"}])
    body = upstream.requests[-1].body.decode()
    assert "Second." in body
    assert "First." not in body


async def test_compact_continues_a_response(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    upstream.add(words("On the roof."), words("S."))
    first = await gateway.ask(input="Where is the cat?")
    compacted = await compact(gateway, previous_response_id=first["id"])
    assert transcript(upstream) == "[user]\nWhere is the cat?\n\n[assistant]\nOn the roof."
    assert [item["type"] for item in compacted["output"]] == ["message", "compaction"]


async def test_a_short_input_is_not_compacted(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    upstream.add(words("Aye."))
    made = await gateway.ask(input=TALK, context_management=NEVER)
    assert [item["type"] for item in made["output"]] == ["message"]
    assert len(upstream.requests) == 1


def long_talk() -> list[Json]:
    told = {"role": "user", "content": "Look! " * 1000}
    return [TALK[0], told, *TALK[1:], {"role": "user", "content": "Sure?"}]


async def test_a_long_input_is_compacted_first(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("S.", usage=1500), words("Aye.", usage=40), words("Still."))
    made = await gateway.ask(input=long_talk(), tools=[FUNCTION], context_management=LONG)
    assert "Where is the cat?" in transcript(upstream, 0)
    assert "Sure?" not in transcript(upstream, 0)
    assert sent(upstream, 1)[0] == "system: Speak like a sailor."
    assert "Where is the cat?" not in upstream.requests[1].body.decode()
    assert sent(upstream, 1)[-1].endswith("Sure?")
    assert "tools" not in upstream.requests[0].json()
    assert upstream.requests[1].json()["tools"]
    assert [item["type"] for item in made["output"]] == ["message", "compaction"]
    assert made["usage"]["input_tokens"] == 1540
    assert made["usage"]["total_tokens"] == 1560
    (record,) = gateway.records
    assert record.usage.total_tokens == 1560  # type: ignore[union-attr]  # it has usage


@pytest.mark.parametrize("chained", [True, False])
async def test_the_next_turn_knows_the_summary_and_the_turn_at_hand(
    gateway: Gateway, upstream: ScriptedUpstream, *, chained: bool
) -> None:
    upstream.add(words("S.", usage=1500), words("Aye.", usage=40), words("Still."))
    first = await gateway.ask(input=long_talk(), context_management=LONG)
    new: list[Json] = [{"role": "user", "content": "And now?"}]
    if chained:
        await gateway.ask(input=new, previous_response_id=first["id"], context_management=LONG)
    else:
        await gateway.ask(input=[*long_talk(), *first["output"], *new], context_management=LONG)
    assert len(upstream.requests) == 3, "what was compacted is not compacted again"
    body = upstream.requests[-1].body.decode()
    assert "Look!" not in body
    assert "S." in body
    assert body.count("Aye.") == 1
    assert sent(upstream)[-2:] == ["assistant: Aye.", "user: And now?"]


async def test_the_providers_own_count_of_the_turn_before_decides(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("Hello.", usage=5000), words("S."), words("Aye."))
    first = await gateway.ask(input="Hi", context_management=LONG)
    assert len(upstream.requests) == 1
    await gateway.ask(input="Now?", previous_response_id=first["id"], context_management=LONG)
    assert transcript(upstream, 1) == "[user]\nHi\n\n[assistant]\nHello."


async def test_a_call_that_waits_for_its_output_is_not_compacted(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("S."), words("Aye."))
    loop = [*long_talk(), *TALK[2:4]]
    await gateway.ask(input=loop, tools=[FUNCTION], context_management=LONG)
    assert [line.partition(":")[0] for line in sent(upstream)][-2:] == ["assistant", "tool"]
    assert "Sure?" in upstream.requests[-1].body.decode()


async def test_a_stream_tells_the_compaction_after_the_answer(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("S.", usage=1500), words("Aye.", usage=40))
    events = await gateway.stream(input=long_talk(), context_management=LONG)
    assert violations(events) == []
    added = [event for event in events if event["type"] == "response.output_item.added"]
    assert [event["item"]["type"] for event in added] == ["message", "compaction"]
    assert events[-1]["response"]["usage"]["input_tokens"] == 1540


async def test_an_input_that_is_one_long_message_cannot_be_compacted(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("Aye."))
    made = await gateway.ask(input="Look! " * 1000, context_management=LONG)
    assert [item["type"] for item in made["output"]] == ["message"]


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"type": "forget"}, "context_management[0].type"),
        ({"type": "compaction"}, "context_management[0].compact_threshold"),
    ],
)
async def test_a_wish_that_is_not_to_be_understood_is_refused(
    gateway: Gateway, wish: Json, param: str
) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        await gateway.ask(context_management=[wish])
    assert raised.value.param == param


async def test_a_transcript_that_is_too_long_is_shortened(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(too_long(), words("S."))
    compacted = await compact(gateway, input=TALK)
    assert "Where is the cat?" in transcript(upstream, 0)
    assert "a cat" not in transcript(upstream, 1)
    assert compacted["output"][0]["content"][0]["text"] == "Where is the cat?"


@pytest.mark.parametrize("said", [words(""), answer(finish="content_filter")])
async def test_without_a_summary_nothing_is_compacted(
    gateway: Gateway, upstream: ScriptedUpstream, said: Script
) -> None:
    upstream.add(said)
    with pytest.raises(UpstreamProtocolError, match="no summary"):
        await compact(gateway, input=TALK)


async def test_a_summary_is_made_once_whoever_answers_in_the_end(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    deploy: Deploy,
) -> None:
    model = "openai_compatible/chat"
    failing = json_answer({"error": {"message": "no"}}, status=500)
    upstream.add(words("S."), failing)
    other.add(words("Aye."))
    entries = deploy(upstream, model=model, weight=1e9), deploy(other, model=model, weight=1e-9)
    async with open_gateway(*entries) as gateway:
        tiny = [{"type": "compaction", "compact_threshold": 1}]
        made = await gateway.ask(input=long_talk(), context_management=tiny)
    assert [item["type"] for item in made["output"]] == ["message", "compaction"]
    assert "S." in other.requests[0].body.decode()


async def test_what_a_model_cannot_read_is_named_by_its_place_in_the_input(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    upstream.add(words("S."))
    compaction = (await compact(gateway, input="Hello"))["output"][-1]
    called = {"type": "program_output", "call_id": "c_1", "result": "1"}
    with pytest.raises(GatewayError) as raised:
        await gateway.ask(input=[*TALK, compaction, called])
    assert raised.value.param == f"input[{len(TALK) + 1}].type"


@pytest.fixture
def entries(
    chatty: ModelEntry, other: ScriptedUpstream, deploy: Deploy
) -> tuple[ModelEntry, ModelEntry]:
    """Return a translated deployment and a native one, of the name native."""
    return chatty, deploy(other, name="native")


@pytest.mark.parametrize("chained", [True, False])
async def test_an_upstream_that_speaks_responses_is_told_the_summary_too(
    open_gateway: OpenGateway,
    upstream: ScriptedUpstream,
    other: ScriptedUpstream,
    entries: tuple[ModelEntry, ModelEntry],
    *,
    chained: bool,
) -> None:
    upstream.add(words("S.", usage=1500), words("Aye."))
    other.add(json_answer({"id": "resp_up", "object": "response", "output": []}))
    async with open_gateway(*entries) as gateway:
        first = await gateway.ask(input=long_talk(), context_management=LONG)
        new: list[Json] = [{"role": "user", "content": "Now?", "kept": "as it is"}]
        if chained:
            await gateway.ask(model="native", input=new, previous_response_id=first["id"])
        else:
            await gateway.ask(model="native", input=[*long_talk(), *first["output"], *new])
    told = other.requests[0].json()["input"]
    assert [item["role"] for item in told] == ["developer", "user", "user", "assistant", "user"]
    assert told[1]["content"][0]["text"].endswith("S.")
    assert told[2]["content"] in ("Sure?", [{"type": "input_text", "text": "Sure?"}])
    assert told[3]["content"][0]["text"] == "Aye."
    assert "id" not in told[3]


async def test_a_compaction_of_a_native_upstreams_own_passes(
    open_gateway: OpenGateway, upstream: ScriptedUpstream, says: Says, deploy: Deploy
) -> None:
    upstream.add(says.whole(), says.whole())
    async with open_gateway(deploy(upstream)) as gateway:
        for item in ({"type": "compaction", "encrypted_content": "gAAAA"}, TALK[0]):
            body = {"input": [item], "metadata": {"mark": "gws1.x"}}
            await gateway.ask(**body)
            assert upstream.requests[-1].json() == {"model": "gpt", **body}
