"""One response: kept before its end is seen, told again, deleted, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gateway.testing import Fault, event_stream

if TYPE_CHECKING:
    from tests.conftest import GatewayProcess

    from .conftest import Teller, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOBODYS = "resp_" + 48 * "0"
IDS = [NOBODYS, "resp_1", "nonsense", "resp_\0", "resp_ü✓", "resp_" + 3000 * "f"]


async def events_of(teller: Teller, response_id: str, **query: Any) -> list[Any]:
    stream = await teller.client.responses.retrieve(response_id, stream=True, **query)
    return [event async for event in stream]


def attempts(teller: Teller, response_id: str) -> list[Any]:
    """Return everything that can be asked about a response."""
    responses = teller.client.responses
    return [
        responses.retrieve(response_id),
        responses.retrieve(response_id, stream=True),
        responses.retrieve(response_id, stream=True, starting_after=1),
        responses.input_items.list(response_id),
        responses.cancel(response_id),
        responses.delete(response_id),
    ]


async def assert_nothing_there(teller: Teller, response_id: str) -> None:
    for attempt in attempts(teller, response_id):
        with pytest.raises(openai.NotFoundError, match="not found"):
            await attempt
    with pytest.raises(openai.BadRequestError) as caught:
        await teller.ask("and then?", previous_response_id=response_id)
    assert caught.value.code == "previous_response_not_found"
    assert caught.value.param == "previous_response_id"


async def test_what_is_kept_is_what_the_client_got(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    made = await alpha.ask("Bist du da?", stream=stream)
    assert (made.status, made.output_text) == ("completed", "Bist du da?")
    assert made.to_dict()["store"] is True
    assert await alpha.kept(made.id) == made.to_dict()
    assert await alpha.kept(made.id) == made.to_dict()


async def test_all_that_was_asked_is_echoed_and_kept(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
    asked: dict[str, Any] = {
        "metadata": {"topic": "Möwen ✓", "": "empty", "k" * 64: "v" * 512},
        "instructions": "be brief",
        "temperature": 0.25,
        "top_p": 0.5,
        "max_output_tokens": 1000,
        "tool_choice": "none",
        "tools": [tool],
        "text": {"format": {"type": "text"}},
    }
    made = await alpha.ask("x", stream=stream, **asked)
    said = made.to_dict()
    assert {name: said[name] for name in asked if name not in ("tools", "text")} == {
        name: value for name, value in asked.items() if name not in ("tools", "text")
    }
    assert await alpha.kept(made.id) == said


async def test_the_synchronous_sdk_goes_all_the_way(
    gateway: GatewayProcess, keys: Mapping[str, str], vendor: Vendor
) -> None:
    def walk() -> None:
        url = f"{gateway.url}/v1"
        with openai.OpenAI(base_url=url, api_key=keys["alpha"], max_retries=0) as client:
            made = client.responses.create(model="stella", input="one")
            assert client.responses.retrieve(made.id).to_dict() == made.to_dict()
            with client.responses.stream(
                model="stella", input="two", previous_response_id=made.id
            ) as stream:
                second = stream.get_final_response()
            texts = [item.content[0].text for item in _all(client, second.id)]
            assert texts == ["two", "one", "one"]
            client.responses.delete(made.id)
            with pytest.raises(openai.NotFoundError):
                client.responses.retrieve(made.id)

    await asyncio.to_thread(walk)


def _all(client: openai.OpenAI, response_id: str) -> list[Any]:
    return list(client.responses.input_items.list(response_id))


async def test_a_response_that_is_over_is_told_again_from_any_event(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    vendor.will(vendor.chat({"content": "Luna counted "}, {"content": "stars."}))
    made = await alpha.ask("x", stream=stream)
    events = await events_of(alpha, made.id)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert events[-1].response.to_dict() == made.to_dict()
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "Luna counted stars."
    for number in range(len(events)):
        assert await events_of(alpha, made.id, starting_after=number) == events[number + 1 :]


async def test_calls_are_kept_and_told_again(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    vendor.will(vendor.calls(look='{"at":"Möwen"}', listen="{}"))
    tools = [
        {"type": "function", "name": name, "parameters": {"type": "object"}, "strict": False}
        for name in ("look", "listen")
    ]
    made = await alpha.ask("x", stream=stream, tools=tools)
    assert [item.type for item in made.output] == ["function_call", "function_call"]
    assert await alpha.kept(made.id) == made.to_dict()
    done = [
        event.arguments
        for event in await events_of(alpha, made.id)
        if event.type == "response.function_call_arguments.done"
    ]
    assert done == ['{"at":"Möwen"}', "{}"]


async def test_an_incomplete_response_is_kept_as_such(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    vendor.will(vendor.chat({"content": "Once upon"}, finish="length"))
    made = await alpha.ask("x", stream=stream, max_output_tokens=16)
    assert made.status == "incomplete"
    assert await alpha.kept(made.id) == made.to_dict()
    events = await events_of(alpha, made.id)
    assert events[-1].type == "response.incomplete"


async def test_a_response_that_failed_in_mid_stream_is_kept_as_such(
    alpha: Teller, vendor: Vendor
) -> None:
    word = vendor.chunk({"choices": [{"index": 0, "delta": {"content": "Luna"}}]})
    vendor.will(event_stream(word, Fault.CUT))
    stream = await alpha.client.responses.create(model="stella", input="x", stream=True)
    first: Any = await anext(stream)
    with pytest.raises(openai.APIError):  # the SDK raises at the event `error`
        await anext(event async for event in stream if event.type == "response.failed")
    kept = await alpha.kept(first.response.id)
    assert (kept["status"], kept["error"]["code"]) == ("failed", "server_error")
    follow_up = await alpha.ask("go on", previous_response_id=kept["id"])
    assert follow_up.status == "completed"
    assert vendor.told[0] == ("user", "x")
    assert vendor.told[-1] == ("user", "go on")


async def test_a_refused_request_leaves_nothing(alpha: Teller, vendor: Vendor) -> None:
    before = await alpha.ask("x")
    with pytest.raises(openai.BadRequestError):
        await alpha.ask([{"type": "message", "role": "nobody", "content": "x"}])
    with pytest.raises(openai.BadRequestError):
        await alpha.ask("x", background=True, store=False)
    assert await alpha.kept(before.id) == before.to_dict()


async def test_a_deleted_response_is_gone_for_good(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    made = await alpha.ask("x", stream=stream)
    raw = await alpha.client.responses.with_raw_response.delete(made.id)
    deleted = raw.http_response.json()
    assert deleted == {"id": made.id, "object": "response", "deleted": True}
    await assert_nothing_there(alpha, made.id)


@pytest.mark.parametrize("response_id", IDS, ids=lambda text: ascii(text)[:16])
async def test_an_id_of_nothing_is_not_found(
    alpha: Teller, vendor: Vendor, response_id: str
) -> None:
    await assert_nothing_there(alpha, response_id)
    assert vendor.heard == []


async def test_for_other_tenants_a_response_does_not_exist(
    alpha: Teller, beta: Teller, vendor: Vendor
) -> None:
    made = await alpha.ask("a secret")
    item = (await alpha.inputs(made.id))[0]
    vendor.heard.clear()
    await assert_nothing_there(beta, made.id)
    for item_id in (item.id, made.output[0].id):
        with pytest.raises(openai.NotFoundError):
            await beta.ask([{"type": "item_reference", "id": item_id}])
    assert vendor.heard == []
    assert await alpha.kept(made.id) == made.to_dict()


async def test_two_tenants_keep_the_same_words_apart(
    alpha: Teller, beta: Teller, vendor: Vendor
) -> None:
    item = {"type": "message", "id": "msg_of_both", "role": "user", "content": "the same"}
    mine, other = await alpha.ask([item]), await beta.ask([item])
    await alpha.client.responses.delete(mine.id)
    assert [each.id for each in await beta.inputs(other.id)] == ["msg_of_both"]
    assert await beta.kept(other.id) == other.to_dict()


async def test_what_is_not_to_be_stored_is_not_there(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    parent = await alpha.ask("one")
    made = await alpha.ask("two", stream=stream, store=False, previous_response_id=parent.id)
    assert made.to_dict()["store"] is False
    assert vendor.told == [("user", "one"), ("assistant", "one"), ("user", "two")]
    await assert_nothing_there(alpha, made.id)
    with pytest.raises(openai.NotFoundError):
        await alpha.ask([{"type": "item_reference", "id": made.output[0].id}])


async def test_only_what_runs_in_the_background_can_be_cancelled(
    alpha: Teller, vendor: Vendor
) -> None:
    made = await alpha.ask("x")
    with pytest.raises(openai.BadRequestError, match="background"):
        await alpha.client.responses.cancel(made.id)
    assert await alpha.kept(made.id) == made.to_dict()


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "99999999999999999999"])
async def test_a_place_that_is_no_number_is_refused(
    alpha: Teller, vendor: Vendor, number: Any
) -> None:
    made = await alpha.ask("x")
    with pytest.raises(openai.BadRequestError) as caught:
        await events_of(alpha, made.id, starting_after=number)
    assert caught.value.param == "starting_after"


async def test_responses_are_kept_before_their_end_is_seen(alpha: Teller, vendor: Vendor) -> None:
    async def talk(number: int) -> None:
        previous = await alpha.ask(f"start {number}")
        for turn in range(5):
            previous = await alpha.ask(
                f"{number}.{turn}", stream=bool(turn % 2), previous_response_id=previous.id
            )
            assert await alpha.kept(previous.id) == previous.to_dict()

    async with asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(talk(number))


async def test_each_response_has_an_id_of_its_own(alpha: Teller, vendor: Vendor) -> None:
    made = [await alpha.ask("the same") for _ in range(3)]
    assert all(first.id != second.id for first, second in pairwise(made))
    assert len({response.output[0].id for response in made}) == 3
