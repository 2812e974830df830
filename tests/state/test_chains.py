"""Responses that build on each other: long ones, many at once, and what goes in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import openai
import pytest

from gateway.plugin import StoreSettings
from gateway.store import BUILT_IN
from gateway.testing import event_stream
from gateway_postgres import POSTGRES

if TYPE_CHECKING:
    from gateway.testing import ScriptedUpstream

    from .conftest import Teller, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

Forget = Callable[[str], Awaitable[None]]

PATIENCE = 20.0
NODES = {"sqlite": BUILT_IN["sqlite"], "postgres": POSTGRES}
"""The kinds of stores that several nodes may share."""
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
PLANES = "".join(
    chr((plane << 16) + offset)
    for plane in range(17)
    for offset in (0x0000, 0x0041, 0x0301, 0x05D0, 0x8000, 0xD7FF, 0xE000, 0xF680, 0xFFFD, 0xFFFF)
)
"""Characters of all planes, NUL and what is no character among them."""


async def chain(teller: Teller, length: int, **parameters: Any) -> list[Any]:
    """Return the responses of a chain, every other one streamed; turn n says n."""
    made: list[Any] = []
    for turn in range(length):
        previous = {"previous_response_id": made[-1].id} if made else {}
        made.append(await teller.ask(str(turn), stream=bool(turn % 2), **previous, **parameters))
    return made


def turns(length: int) -> list[tuple[str, str]]:
    """Return what a model is told that is asked after the last of so many turns."""
    told = [(role, str(turn)) for turn in range(length) for role in ("user", "assistant")]
    return told[:-1]


async def test_50_turns_are_told_in_their_order(alpha: Teller, vendor: Vendor) -> None:
    made = await chain(alpha, 50)
    assert vendor.told == turns(50)
    assert [len(body["messages"]) for body in vendor.heard] == list(range(1, 100, 2))
    assert [item.content[0].text for item in await alpha.inputs(made[-1].id)] == [
        text for _, text in turns(50)
    ]
    for response in made:
        assert await alpha.kept(response.id) == response.to_dict()


async def test_branches_know_nothing_of_each_other(alpha: Teller, vendor: Vendor) -> None:
    root = (await chain(alpha, 3))[-1]
    for branch in ("left", "middle", "right"):
        first = await alpha.ask(branch, previous_response_id=root.id)
        await alpha.ask("and then", previous_response_id=first.id)
        assert vendor.told == [
            *turns(3),
            ("assistant", "2"),
            ("user", branch),
            ("assistant", branch),
            ("user", "and then"),
        ]


async def test_40_at_once_may_build_on_one_response(alpha: Teller, vendor: Vendor) -> None:
    root = (await chain(alpha, 2))[-1]
    made = await asyncio.gather(
        *(
            alpha.ask(f"branch {number}", stream=bool(number % 2), previous_response_id=root.id)
            for number in range(40)
        )
    )
    assert len({response.id for response in made}) == 40
    assert [response.output_text for response in made] == [f"branch {n}" for n in range(40)]
    lists = await asyncio.gather(*(alpha.inputs(response.id) for response in made))
    for number, items in enumerate(lists):
        told = ["0", "0", "1", "1", f"branch {number}"]
        assert [item.content[0].text for item in items] == told
    for response in made:
        assert await alpha.kept(response.id) == response.to_dict()


async def test_what_is_deleted_in_the_middle_leaves_the_rest_whole(
    alpha: Teller, vendor: Vendor
) -> None:
    made = await chain(alpha, 6)
    for response in made[1:-1]:
        await alpha.client.responses.delete(response.id)
    await alpha.ask("6", previous_response_id=made[-1].id)
    assert vendor.told == turns(7)
    items = await alpha.inputs(made[-1].id)
    assert [item.content[0].text for item in items] == [text for _, text in turns(6)]
    assert await alpha.kept(made[0].id) == made[0].to_dict()
    assert await alpha.kept(made[-1].id) == made[-1].to_dict()
    with pytest.raises(openai.BadRequestError):
        await alpha.ask("x", previous_response_id=made[-2].id)


@pytest.fixture(params=["deleted", "expired"])
def forget(request: pytest.FixtureRequest, alpha: Teller, state: Mapping[str, str]) -> Forget:
    """Return what lets a response go, as its client does or, at the end of its time, another node.

    Nothing that was made later goes with it.
    """
    if request.param == "deleted":
        return alpha.client.responses.delete
    if state["store"] == "memory":
        pytest.skip("a store in memory has no other node")

    async def expire(response_id: str) -> None:
        settings = StoreSettings(directory=Path(state["directory"]), url=state.get("url", ""))
        async with NODES[state["store"]].open(settings) as store:
            found = await store.load("alpha", response_id)
            assert found is not None
            while await store.purge(found[0].expires_at):
                pass

    return expire


@pytest.mark.parametrize("background", [False, True])
async def test_a_child_knows_all_of_a_parent_that_goes_while_it_is_made(
    alpha: Teller, vendor: Vendor, forget: Forget, *, background: bool
) -> None:
    parent = (await chain(alpha, 2))[-1]
    gate = asyncio.Event()
    first, *rest = vendor.chat({"content": "2"}).body
    vendor.will(event_stream(first, gate, *rest))
    stream = await alpha.client.responses.create(
        model="stella",
        input="2",
        previous_response_id=parent.id,
        background=background,
        stream=True,
    )
    events: list[Any] = [await anext(stream)]
    await forget(parent.id)
    with pytest.raises(openai.NotFoundError):
        await alpha.kept(parent.id)
    gate.set()
    events += [event async for event in stream]
    child = events[-1].response
    assert (child.status, child.previous_response_id) == ("completed", parent.id)
    assert await alpha.kept(child.id) == child.to_dict()
    assert [item.content[0].text for item in await alpha.inputs(child.id)] == list("00112")
    await alpha.ask("3", previous_response_id=child.id)
    assert vendor.told == turns(4)


async def test_a_child_that_is_queued_just_when_its_parent_goes_knows_all_of_it(
    alpha: Teller, vendor: Vendor, state: Mapping[str, str], *, stream: bool
) -> None:
    if state["store"] != "postgres":
        pytest.skip("only PostgreSQL can be held in the middle, and says who waits for it")
    parent = (await chain(alpha, 2))[-1]
    connection = await asyncpg.connect(state["url"])
    async with connection.transaction():
        assert await connection.fetchval("SELECT gateway.forget('alpha', $1)", parent.id)
        asking = asyncio.create_task(
            alpha.ask("2", stream=stream, background=True, previous_response_id=parent.id)
        )
        async with asyncio.timeout(PATIENCE):
            while not await connection.fetchval(WAITING):
                pass
    await connection.close()
    child = await asking
    await alpha.told(child.id)
    await alpha.ask("3", previous_response_id=child.id)
    assert vendor.told == turns(4)


async def test_instructions_and_tools_are_not_inherited(alpha: Teller, vendor: Vendor) -> None:
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
    asked: dict[str, Any] = {"instructions": "be brief", "temperature": 0.5, "tools": [tool]}
    first = await alpha.ask("0", metadata={"topic": "gulls"}, **asked)
    assert vendor.told == [("system", "be brief"), ("user", "0")]
    second = await alpha.ask("1", previous_response_id=first.id)
    assert vendor.told == turns(2)
    assert {"tools", "tool_choice", "temperature"} & vendor.heard[-1].keys() == set()
    assert (second.instructions, second.tools, second.metadata) == (None, [], {})
    assert second.previous_response_id == first.id
    await alpha.ask("2", previous_response_id=second.id, instructions="be kind")
    assert vendor.told == [("system", "be kind"), *turns(3)]


async def test_previous_response_and_conversation_exclude_each_other(
    alpha: Teller, vendor: Vendor
) -> None:
    made = await alpha.ask("x")
    conversation = await alpha.client.conversations.create()
    with pytest.raises(openai.BadRequestError) as caught:
        await alpha.ask("y", previous_response_id=made.id, conversation=conversation.id)
    assert caught.value.code == "mutually_exclusive_parameters"
    assert len(vendor.heard) == 1


async def test_an_incomplete_response_can_be_continued(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    vendor.will(vendor.chat({"content": "Once upon"}, finish="length"))
    first = await alpha.ask("a tale", stream=stream)
    assert first.status == "incomplete"
    await alpha.ask("go on", stream=stream, previous_response_id=first.id)
    assert vendor.told == [("user", "a tale"), ("assistant", "Once upon"), ("user", "go on")]


async def test_a_client_that_leaves_in_mid_stream_leaves_nothing(
    alpha: Teller, vendor: Vendor, upstream: ScriptedUpstream
) -> None:
    parent = await alpha.ask("0")
    word = vendor.chunk({"choices": [{"index": 0, "delta": {"content": "Luna"}}]})
    vendor.will(event_stream(word, asyncio.Event()))
    stream = await alpha.client.responses.create(
        model="stella", input="1", previous_response_id=parent.id, stream=True
    )
    first: Any = await anext(stream)
    await stream.close()
    async with asyncio.timeout(PATIENCE):
        await upstream.disconnected()
    with pytest.raises(openai.NotFoundError):
        await alpha.kept(first.response.id)
    await alpha.ask("1", previous_response_id=parent.id)
    assert vendor.told == turns(2)


async def test_characters_of_all_planes_come_back(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    first = await alpha.ask(PLANES, stream=stream, metadata={"planes": PLANES})
    assert (first.output_text, first.metadata) == (PLANES, {"planes": PLANES})
    assert await alpha.kept(first.id) == first.to_dict()
    second = await alpha.ask("x", stream=stream, previous_response_id=first.id)
    assert vendor.told == [("user", PLANES), ("assistant", PLANES), ("user", "x")]
    texts = [item.content[0].text for item in await alpha.inputs(second.id)]
    assert texts == [PLANES, PLANES, "x"]


async def test_2_mb_of_input_are_kept_and_told_again(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    book = "".join(f"Seite {number}: ✓\n" for number in range(160_000))
    assert len(book.encode()) > 2_000_000
    first = await alpha.ask(book, stream=stream)
    second = await alpha.ask("the end?", stream=stream, previous_response_id=first.id)
    assert vendor.told == [("user", book), ("assistant", book[:200]), ("user", "the end?")]
    items = await alpha.inputs(second.id)
    assert items[0].content[0].text == book


async def test_2_mb_of_output_are_kept_and_told_again(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    pages = [f"{number} ✓ ".ljust(2000, "x") for number in range(1000)]
    vendor.will(vendor.chat(*({"content": page} for page in pages)))
    first = await alpha.ask("a long tale", stream=stream)
    assert first.output_text == "".join(pages)
    assert await alpha.kept(first.id) == first.to_dict()
    await alpha.ask("and?", previous_response_id=first.id)
    assert vendor.told[1] == ("assistant", first.output_text)
