"""The input of a response as a list: every page, every boundary, earlier turns included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from .conftest import Teller, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

COUNT = 25


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def texts(items: list[Any]) -> list[str]:
    return [item.content[0].text for item in items]


async def long_response(teller: Teller) -> str:
    """Return the id of a response with many items in its input, the first ones of its parent."""
    parent = await teller.ask([said(f"word {number}") for number in range(10)])
    added = [said(f"word {number}") for number in range(11, COUNT)]
    return (await teller.ask(added, previous_response_id=parent.id)).id


EXPECTED = [*(f"word {number}" for number in range(10)), "word 9"] + [
    f"word {number}" for number in range(11, COUNT)
]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, COUNT - 1, COUNT, COUNT + 1, 100])
async def test_pages_of_any_size_hold_every_item_once(
    alpha: Teller, vendor: Vendor, limit: int, order: Any
) -> None:
    response_id = await long_response(alpha)
    page = await alpha.client.responses.input_items.list(response_id, limit=limit, order=order)
    items: list[Any] = [item async for item in page]
    assert texts(items) == (EXPECTED if order == "asc" else EXPECTED[::-1])
    assert len({item.id for item in items}) == COUNT


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_may_begin_after_any_item(alpha: Teller, vendor: Vendor, order: Any) -> None:
    response_id = await long_response(alpha)
    lists = alpha.client.responses.input_items
    everything = [item.id async for item in lists.list(response_id, limit=100, order=order)]
    for position, item_id in enumerate(everything):
        page = await lists.list(response_id, after=str(item_id), limit=3, order=order)
        left = everything[position + 1 :]
        assert [item.id for item in page.data] == left[:3]
        assert page.has_more is (len(left) > 3)


async def test_without_a_wish_a_page_holds_the_last_20_items(alpha: Teller, vendor: Vendor) -> None:
    response_id = await long_response(alpha)
    raw = await alpha.client.responses.input_items.with_raw_response.list(response_id)
    said = raw.http_response.json()
    assert [item["content"][0]["text"] for item in said["data"]] == EXPECTED[:-21:-1]
    assert said == {
        "object": "list",
        "data": said["data"],
        "first_id": said["data"][0]["id"],
        "last_id": said["data"][-1]["id"],
        "has_more": True,
    }


async def test_items_keep_their_ids_from_turn_to_turn(alpha: Teller, vendor: Vendor) -> None:
    own = {**said("mine"), "id": "msg_of_the_client"}
    first = await alpha.ask([own, said("another")])
    second = await alpha.ask("and", previous_response_id=first.id)
    third = await alpha.ask("so on", previous_response_id=second.id)
    before, between, last = [
        [item.id for item in await alpha.inputs(response.id)] for response in (first, second, third)
    ]
    assert before[0] == "msg_of_the_client"
    assert between[:-1] == [*before, first.output[0].id]
    assert last[:-1] == [*between, second.output[0].id]


async def test_items_are_listed_in_their_full_form(alpha: Teller, vendor: Vendor) -> None:
    call = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "a star"}
    easy = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    made = await alpha.ask([*easy, call, output, said("z")])
    asked, answered, called, returned, last = await alpha.inputs(made.id)
    assert (asked.role, asked.content[0].type, asked.status) == ("user", "input_text", "completed")
    assert (answered.role, answered.content[0].type) == ("assistant", "output_text")
    assert (called.name, called.call_id) == ("look", "c")
    assert returned.output == "a star"
    assert last.content[0].text == "z"
    assert all(item.id for item in (asked, answered, called, returned, last))


async def test_no_input_is_an_empty_list(alpha: Teller, vendor: Vendor) -> None:
    parent = await alpha.ask("x")
    await alpha.ask([], previous_response_id=parent.id)
    made = await alpha.ask([], instructions="say something")
    page = await alpha.client.responses.input_items.list(made.id)
    assert (page.data, page.has_more) == ([], False)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"order": "up"}, "order"),
    ],
    ids=str,
)
async def test_a_page_that_cannot_be_is_refused(
    alpha: Teller, vendor: Vendor, query: dict[str, Any], param: str
) -> None:
    made = await alpha.ask("x")
    with pytest.raises(openai.BadRequestError) as caught:
        await alpha.client.responses.input_items.list(made.id, **query)
    assert caught.value.param == param


async def test_a_page_after_an_item_of_elsewhere_is_not_found(
    alpha: Teller, vendor: Vendor
) -> None:
    made, other = await alpha.ask("x"), await alpha.ask("y")
    elsewhere = (await alpha.inputs(other.id))[0].id
    for item_id in (elsewhere, "msg_nobody"):
        with pytest.raises(openai.NotFoundError):
            await alpha.client.responses.input_items.list(made.id, after=item_id)
