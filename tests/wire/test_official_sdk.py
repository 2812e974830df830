"""The official SDK in front of us, and an upstream that speaks Responses behind us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import openai
import pydantic
import pytest

from gateway.testing import ScriptedUpstream, event_stream, json_answer

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess

    from .conftest import AsyncSdk, Invented, SyncSdk

    Sdk = SyncSdk | AsyncSdk

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEADERS = {
    "x-request-id": "req_of_the_upstream",
    "x-ratelimit-remaining-requests": "99",
    "openai-processing-ms": "12",
}


class Story(pydantic.BaseModel):
    hero: str
    stars: int


STORY = '{"hero": "Luna", "stars": 7}'


async def stored(sdk: Sdk, upstream: ScriptedUpstream, invented: Invented) -> str:
    """Create a response and return the id that the client got."""
    upstream.add(json_answer(invented.response()))
    return (await sdk.call(lambda c: c.responses.create(model="fast", input="hello"))).id


async def test_create_reaches_the_upstream_under_its_own_names(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented, keys: Mapping[str, str]
) -> None:
    upstream.add(json_answer(invented.response()))
    answer = await sdk.call(
        lambda c: c.responses.create(
            model="fast", input="hello", temperature=0.5, extra_body={"tomorrow": [1.0, None]}
        )
    )
    assert answer.output_text == invented.text
    assert answer.model == "fast"
    assert answer.id.startswith("resp_")
    assert answer.id != "resp_upstream"
    assert answer.field_of_tomorrow == {"kept": True}
    [received] = upstream.requests
    assert received.path == "/v1/responses"
    assert received.json() == {
        "model": "gpt-upstream",
        "input": "hello",
        "temperature": 0.5,
        "tomorrow": [1.0, None],
    }
    assert received.headers["authorization"] == f"Bearer {keys['upstream']}"
    assert keys["alpha"] not in str(received)
    assert not any(name.startswith("x-stainless") for name in received.headers)


async def test_a_stream_is_the_upstreams_but_for_id_and_model(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(event_stream(*invented.frames()))
    events = await sdk.iterate(
        lambda c: c.responses.create(model="fast", input="hello", stream=True)
    )
    assert [event.sequence_number for event in events] == list(range(10))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == invented.text
    responses = [event.response for event in events if hasattr(event, "response")]
    assert {(response.id, response.model) for response in responses} == {(responses[0].id, "fast")}
    assert responses[0].id != "resp_upstream"
    assert upstream.requests[0].json()["stream"] is True


async def test_the_stream_helper_accumulates_a_final_response(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(event_stream(*invented.frames(STORY)))
    events, final = await sdk.stream(
        lambda c: c.responses.stream(model="fast", input="hello", text_format=Story)
    )
    assert events[-1].type == "response.completed"
    assert final.output_parsed == Story(hero="Luna", stars=7)
    assert final.model == "fast"


async def test_parse_sends_the_schema_and_reads_the_answer(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(json_answer(invented.response(STORY)))
    answer = await sdk.call(
        lambda c: c.responses.parse(model="fast", input="hello", text_format=Story)
    )
    assert answer.output_parsed == Story(hero="Luna", stars=7)
    sent = upstream.requests[0].json()["text"]["format"]
    assert sent["type"] == "json_schema"
    assert sent["strict"] is True
    assert set(sent["schema"]["properties"]) == {"hero", "stars"}


async def test_retrieve_asks_for_the_upstreams_id_with_the_query_as_it_came(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    identifier = await stored(sdk, upstream, invented)
    upstream.add(json_answer(invented.response()))
    answer = await sdk.call(
        lambda c: c.responses.retrieve(
            identifier, include=["file_search_call.results", "message.output_text.logprobs"]
        )
    )
    assert (answer.id, answer.output_text) == (identifier, invented.text)
    received = upstream.requests[-1]
    assert (received.method, received.path) == ("GET", "/v1/responses/resp_upstream")
    assert parse_qsl(received.query) == [
        ("include[]", "file_search_call.results"),
        ("include[]", "message.output_text.logprobs"),
    ]


async def test_a_stream_is_taken_up_again_where_it_broke(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    identifier = await stored(sdk, upstream, invented)
    upstream.add(event_stream(*invented.frames()[5:]))
    events = await sdk.iterate(
        lambda c: c.responses.retrieve(identifier, stream=True, starting_after=4)
    )
    assert [event.sequence_number for event in events] == [5, 6, 7, 8, 9]
    assert events[-1].response.id == identifier
    assert events[-1].response.model == "fast"
    assert set(upstream.requests[-1].query.split("&")) == {"stream=true", "starting_after=4"}


async def test_delete_reaches_the_upstream(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    identifier = await stored(sdk, upstream, invented)
    deleted = {"id": "resp_upstream", "object": "response.deleted", "deleted": True}
    upstream.add(json_answer(deleted))
    await sdk.call(lambda c: c.responses.delete(identifier))
    received = upstream.requests[-1]
    assert (received.method, received.path) == ("DELETE", "/v1/responses/resp_upstream")


async def test_a_background_response_is_cancelled(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(
        json_answer(invented.response(status="queued", output=[], background=True)),
        json_answer(invented.response(status="cancelled", output=[], background=True)),
    )
    queued = await sdk.call(
        lambda c: c.responses.create(model="fast", input="hello", background=True)
    )
    assert queued.status == "queued"
    cancelled = await sdk.call(lambda c: c.responses.cancel(queued.id))
    assert (cancelled.id, cancelled.status) == (queued.id, "cancelled")
    received = upstream.requests[-1]
    assert (received.method, received.path) == ("POST", "/v1/responses/resp_upstream/cancel")


async def test_input_items_are_listed_over_two_pages(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    identifier = await stored(sdk, upstream, invented)
    items = [{**invented.message(word), "id": f"msg_{word}"} for word in ("one", "two", "three")]
    upstream.add(
        *(
            json_answer(
                {
                    "object": "list",
                    "data": page,
                    "first_id": page[0]["id"],
                    "last_id": page[-1]["id"],
                    "has_more": len(page) == 2,
                }
            )
            for page in (items[:2], items[2:])
        )
    )
    listed = await sdk.iterate(
        lambda c: c.responses.input_items.list(identifier, limit=2, order="asc")
    )
    assert [item.id for item in listed] == ["msg_one", "msg_two", "msg_three"]
    first, second = upstream.requests[1:]
    assert first.path == second.path == "/v1/responses/resp_upstream/input_items"
    assert set(first.query.split("&")) == {"limit=2", "order=asc"}
    assert set(second.query.split("&")) == {"limit=2", "order=asc", "after=msg_two"}


async def test_compact_reaches_the_upstream(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    identifier = await stored(sdk, upstream, invented)
    item = {"id": "cmp_1", "type": "compaction", "encrypted_content": "sealed"}
    compaction = {"id": "cmp_response", "object": "response.compaction", "created_at": 1}
    usage = invented.response()["usage"]
    upstream.add(json_answer({**compaction, "output": [item], "usage": usage}))
    compacted = await sdk.call(
        lambda c: c.responses.compact(model="fast", input="hello", previous_response_id=identifier)
    )
    assert compacted.output[0].encrypted_content == "sealed"
    received = upstream.requests[-1]
    assert received.path == "/v1/responses/compact"
    assert received.json() == {
        "model": "gpt-upstream",
        "input": "hello",
        "previous_response_id": "resp_upstream",
    }


async def test_input_tokens_are_counted(sdk: Sdk, upstream: ScriptedUpstream) -> None:
    upstream.add(json_answer({"object": "response.input_tokens", "input_tokens": 11}))
    counted = await sdk.call(lambda c: c.responses.input_tokens.count(model="fast", input="hello"))
    assert counted.input_tokens == 11
    [received] = upstream.requests
    assert received.path == "/v1/responses/input_tokens"
    assert received.json()["model"] == "gpt-upstream"


async def test_a_follow_up_names_the_upstreams_own_id(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    identifier = await stored(sdk, upstream, invented)
    follow_up = invented.response(id="resp_second", previous_response_id="resp_upstream")
    upstream.add(json_answer(follow_up))
    answer = await sdk.call(
        lambda c: c.responses.create(model="fast", input="on", previous_response_id=identifier)
    )
    assert answer.previous_response_id == identifier
    assert answer.id not in {identifier, "resp_second"}
    assert upstream.requests[-1].json()["previous_response_id"] == "resp_upstream"


async def test_the_upstreams_headers_survive(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(json_answer(invented.response(), headers={**HEADERS, "server": "theirs"}))
    raw = await sdk.call(
        lambda c: c.responses.with_raw_response.create(model="fast", input="hello")
    )
    assert {name: raw.headers.get(name) for name in HEADERS} == HEADERS
    assert raw.headers["x-gateway-request-id"].startswith("req_")
    assert raw.headers.get("server") != "theirs"
    assert raw.request_id == "req_of_the_upstream"
    assert raw.parse().output_text == invented.text


async def test_a_streams_headers_survive(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    upstream.add(event_stream(*invented.frames(), headers=HEADERS))
    raw = await sdk.call(
        lambda c: c.responses.with_raw_response.create(model="fast", input="hello", stream=True)
    )
    assert {name: raw.headers.get(name) for name in HEADERS} == HEADERS
    assert raw.headers["content-type"].startswith("text/event-stream")
    await sdk.iterate(lambda _: raw.parse())


async def test_a_wrong_key_is_refused_before_any_upstream(
    sdk: Sdk, upstream: ScriptedUpstream
) -> None:
    with pytest.raises(openai.AuthenticationError) as raised:
        await sdk.call(
            lambda c: c.with_options(api_key="sk-wrong").responses.create(model="fast", input="hi")
        )
    assert raised.value.code == "invalid_api_key"
    assert upstream.requests == []


LIMITED: dict[str, Any] = {
    "message": "Rate limit reached",
    "type": "requests",
    "param": None,
    "code": "rate_limit_exceeded",
}


async def test_a_rate_limit_of_the_upstream_is_the_clients(
    sdk: Sdk, upstream: ScriptedUpstream
) -> None:
    headers = {"retry-after": "1.5", "x-ratelimit-remaining-requests": "0"}
    upstream.add(json_answer({"error": LIMITED}, status=429, headers=headers))
    with pytest.raises(openai.RateLimitError) as raised:
        await sdk.call(lambda c: c.responses.create(model="fast", input="hello"))
    assert raised.value.body == LIMITED
    assert raised.value.response.headers["retry-after"] == "1.5"
    assert raised.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert len(upstream.requests) == 1


async def test_a_client_that_retries_gets_through(
    sdk: Sdk, upstream: ScriptedUpstream, invented: Invented
) -> None:
    again = json_answer({"error": LIMITED}, status=429, headers={"retry-after-ms": "1"})
    upstream.add(again, again, json_answer(invented.response()))
    answer = await sdk.call(
        lambda c: c.with_options(max_retries=2).responses.create(model="fast", input="hello")
    )
    assert answer.output_text == invented.text
    assert len(upstream.requests) == 3


async def test_a_client_does_not_retry_where_it_cannot_help(
    sdk: Sdk, upstream: ScriptedUpstream
) -> None:
    broke = {"message": "You exceeded your current quota", "type": "insufficient_quota"}
    upstream.add(json_answer({"error": {**broke, "code": "insufficient_quota"}}, status=429))
    with pytest.raises(openai.RateLimitError) as raised:
        await sdk.call(
            lambda c: c.with_options(max_retries=2).responses.create(model="fast", input="hello")
        )
    assert raised.value.code == "insufficient_quota"
    assert len(upstream.requests) == 1


async def test_the_models_are_listed(sdk: Sdk, proxy: GatewayProcess) -> None:
    listed = await sdk.iterate(lambda c: c.models.list())
    assert [model.id for model in listed][:2] == ["fast", "chatty"]
    assert proxy.alive
