"""Every kind of item on its way from turn to turn, and from model to model."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from .conftest import Teller, Vendor

pytestmark = pytest.mark.asyncio(loop_scope="session")

IMAGE = "data:image/png;base64," + base64.b64encode(b"an invented picture").decode()
SIGNED = {
    "type": "reasoning.text",
    "text": "Gulls have wings.",
    "signature": "an invented signature",
    "index": 0,
}


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": {"type": "object"}, "strict": False}


def returned(call_id: str, output: Any, kind: str = "function_call_output") -> dict[str, Any]:
    return {"type": kind, "call_id": call_id, "output": output}


def called(message: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the calls in what a model is told that it said: ids, names, arguments."""
    return [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message["tool_calls"]
    ]


async def test_a_tool_loop_with_calls_at_once_goes_over_turns(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    tools = [function("look"), function("listen")]
    vendor.will(vendor.calls(look='{"at":"sea"}', listen="{}"), vendor.calls(look='{"at":"sky"}'))
    first = await alpha.ask("What is there?", stream=stream, tools=tools)
    ids = [item.call_id for item in first.output if item.type == "function_call"]
    second = await alpha.ask(
        [returned(ids[1], "wind"), returned(ids[0], "waves ✓")],
        stream=stream,
        tools=tools,
        previous_response_id=first.id,
    )
    third = await alpha.ask(
        [returned(str(second.output[0].to_dict()["call_id"]), "gulls")],
        stream=stream,
        tools=tools,
        previous_response_id=second.id,
    )
    asked, calls, *results, again, last = vendor.heard[-1]["messages"]
    assert asked["content"] == "What is there?"
    assert [call[1:] for call in called(calls)] == [("look", '{"at":"sea"}'), ("listen", "{}")]
    assert {each["tool_call_id"]: each["content"] for each in results} == {
        called(calls)[0][0]: "waves ✓",
        called(calls)[1][0]: "wind",
    }
    assert called(again)[0][1:] == ("look", '{"at":"sky"}')
    assert (last["role"], last["content"]) == ("tool", "gulls")
    kinds = [item.type for item in await alpha.inputs(third.id)]
    call, output = "function_call", "function_call_output"
    assert kinds == ["message", call, call, output, output, call, output]


async def test_a_call_without_its_output_is_refused_and_can_be_made_good(
    alpha: Teller, vendor: Vendor
) -> None:
    vendor.will(vendor.calls(look="{}"))
    first = await alpha.ask("x", tools=[function("look")])
    with pytest.raises(openai.BadRequestError, match="output") as caught:
        await alpha.ask("never mind", previous_response_id=first.id)
    assert caught.value.param == "input"
    call_id = first.output[0].to_dict()["call_id"]
    good = await alpha.ask([returned(str(call_id), "done")], previous_response_id=first.id)
    assert good.status == "completed"


async def test_custom_tools_are_called_over_turns(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    tool = {"type": "custom", "name": "paint", "description": "paints"}
    vendor.will(vendor.calls(paint='{"input":"a gull, blue ✓"}'))
    first = await alpha.ask("Paint!", stream=stream, tools=[tool])
    call = first.output[0].to_dict()
    assert (call["type"], call["input"]) == ("custom_tool_call", "a gull, blue ✓")
    assert await alpha.kept(first.id) == first.to_dict()
    second = await alpha.ask(
        [returned(str(call["call_id"]), "painted", "custom_tool_call_output")],
        stream=stream,
        tools=[tool],
        previous_response_id=first.id,
    )
    _, told, result = vendor.heard[-1]["messages"]
    assert called(told)[0][1:] == ("paint", '{"input":"a gull, blue ✓"}')
    assert (result["role"], result["content"]) == ("tool", "painted")
    kinds = [item.type for item in await alpha.inputs(second.id)]
    assert kinds == ["message", "custom_tool_call", "custom_tool_call_output"]


@pytest.mark.parametrize("include", [["reasoning.encrypted_content"], []], ids=["asked", "unasked"])
async def test_reasoning_goes_back_to_the_model_that_made_it_and_to_no_other(
    alpha: Teller, vendor: Vendor, *, stream: bool, include: list[Any]
) -> None:
    vendor.will(vendor.chat({"reasoning_details": [SIGNED]}, {"content": "They fly."}))
    first = await alpha.ask("Why?", stream=stream, include=include)
    assert [item.type for item in first.output] == ["reasoning", "message"]
    assert await alpha.kept(first.id) == first.to_dict()
    second = await alpha.ask("Go on", stream=stream, previous_response_id=first.id)
    assert vendor.heard[-1]["messages"][1]["reasoning_details"] == [SIGNED]
    await alpha.ask("And?", model="vega", previous_response_id=second.id)
    assert not any("reasoning_details" in message for message in vendor.heard[-1]["messages"])
    assert vendor.told[1] == ("assistant", "They fly.")
    await alpha.ask("Back", previous_response_id=second.id)
    assert vendor.heard[-1]["messages"][1]["reasoning_details"] == [SIGNED]


async def test_reasoning_stays_with_its_call(alpha: Teller, vendor: Vendor) -> None:
    look = {"name": "look", "arguments": "{}"}
    call = {"index": 0, "id": "c1", "type": "function", "function": look}
    vendor.will(
        vendor.chat({"reasoning_details": [SIGNED]}, {"tool_calls": [call]}, finish="tool_calls")
    )
    first = await alpha.ask("x", tools=[function("look")])
    call_id = next(item.call_id for item in first.output if item.type == "function_call")
    await alpha.ask([returned(call_id, "a gull")], previous_response_id=first.id)
    told = vendor.heard[-1]["messages"][1]
    assert (told["reasoning_details"], called(told)[0][1]) == ([SIGNED], "look")


async def test_images_are_kept_and_told_again(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    parts = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": IMAGE, "detail": "low"},
    ]
    message = {"type": "message", "role": "user", "content": parts}
    first = await alpha.ask([message], stream=stream)
    second = await alpha.ask("Sure?", stream=stream, previous_response_id=first.id)
    told = vendor.told[0][1]
    assert told[1]["image_url"]["url"] == IMAGE
    shown = (await alpha.inputs(second.id))[0].to_dict()
    assert shown["content"] == parts


async def test_items_of_input_and_output_can_be_referred_to(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    first = await alpha.ask("one", stream=stream)
    asked = (await alpha.inputs(first.id))[0]
    references = [
        {"type": "item_reference", "id": item_id} for item_id in (asked.id, first.output[0].id)
    ]
    second = await alpha.ask(
        [*references, {"type": "message", "role": "user", "content": "two"}], stream=stream
    )
    told = [("user", "one"), ("assistant", "one"), ("user", "two")]
    assert vendor.told == told
    kinds = [item.type for item in await alpha.inputs(second.id)]
    assert kinds == ["message", "message", "message"]
    await alpha.client.responses.delete(first.id)
    await alpha.ask("three", previous_response_id=second.id)
    assert vendor.told == [*told, ("assistant", "two"), ("user", "three")]


async def test_an_item_may_be_referred_to_by_its_bare_id(alpha: Teller, vendor: Vendor) -> None:
    first = await alpha.ask("one")
    await alpha.ask([{"id": first.output[0].id}, {"role": "user", "content": "two"}])
    assert vendor.told == [("assistant", "one"), ("user", "two")]


async def test_a_reference_to_nothing_is_not_found(alpha: Teller, vendor: Vendor) -> None:
    message = {"type": "message", "role": "user", "content": "x"}
    with pytest.raises(openai.NotFoundError) as caught:
        await alpha.ask([message, {"type": "item_reference", "id": "msg_nobody"}])
    assert caught.value.param == "input[1].id"
    assert vendor.heard == []


async def test_a_chain_goes_from_model_to_model(
    alpha: Teller, vendor: Vendor, *, stream: bool
) -> None:
    first = await alpha.ask("one", stream=stream)
    second = await alpha.ask("two", stream=stream, model="vega", previous_response_id=first.id)
    assert (second.model, vendor.heard[-1]["model"]) == ("vega", "vega-1")
    told = [("user", "one"), ("assistant", "one"), ("user", "two")]
    assert vendor.told == told
    third = await alpha.ask("three", stream=stream, previous_response_id=second.id)
    assert vendor.told == [*told, ("assistant", "two"), ("user", "three")]
    assert [await alpha.kept(each.id) for each in (first, second, third)] == [
        each.to_dict() for each in (first, second, third)
    ]


async def test_a_model_that_speaks_responses_itself_is_told_the_whole_chain(
    alpha: Teller, vendor: Vendor
) -> None:
    vendor.will(vendor.calls(look="{}"))
    first = await alpha.ask("one", tools=[function("look")])
    call_id = str(first.output[0].to_dict()["call_id"])
    last = await alpha.ask(
        [returned(call_id, "a gull")], model="sol", previous_response_id=first.id
    )
    body = vendor.heard[-1]
    assert "previous_response_id" not in body
    message, call, output = body["input"]
    assert message["content"] == [{"type": "input_text", "text": "one"}]
    assert (call["type"], call["call_id"], call["name"]) == ("function_call", call_id, "look")
    assert (output["type"], output["output"]) == ("function_call_output", "a gull")
    assert not any("id" in item for item in body["input"])  # sol would look for them
    assert last.output_text == "from sol"
