"""Approvals in all the ways to keep a context: histories, chains, conversations, the background.

What models say is invented.
"""

from __future__ import annotations

import time
from typing import Any

import openai
import pytest

from gateway.stream.lifecycle import violations

from .conftest import RealServer
from .creating import Create, by_events, by_the_helper
from .models import TOLD

OURS = ("chat", "run")
"""Models for which the gateway makes the calls."""

DENIED = "The user denied this call."
QUESTION: Any = {"role": "user", "content": "How much is 2 and 3?"}
THANKS: Any = {"role": "user", "content": "Thanks. And again?"}

both = pytest.mark.parametrize("approve", [True, False], ids=["approved", "denied"])


@pytest.fixture(params=OURS)
def model(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["whole", "streamed", "helper"])
def create(client: openai.OpenAI, request: pytest.FixtureRequest) -> Create:
    match request.param:
        case "whole":
            return client.responses.create
        case "streamed":
            return by_events(client)
        case _:
            return by_the_helper(client)


def answer(response: Any, approve: bool) -> Any:
    """Return what the user says to the call that `response` asks for."""
    request = response.output[-1]
    assert request.type == "mcp_approval_request"
    return {
        "type": "mcp_approval_response",
        "approval_request_id": request.id,
        "approve": approve,
    }


def assert_told(response: Any, server: RealServer, approve: bool) -> None:
    types = [item.type for item in response.output]
    assert types == (["mcp_call", "message"] if approve else ["message"])
    assert response.output_text == f"{TOLD}{server.five if approve else DENIED}"
    if approve:
        assert (response.output[0].output, response.output[0].error) == (server.five, None)


def items(response: Any) -> list[Any]:
    """Return the output as a client sends it back."""
    return [item.to_dict() for item in response.output]


@both
def test_a_history_that_the_client_keeps(
    create: Create, model: str, server: RealServer, approve: bool
) -> None:
    given: Any = {"model": model, "tools": [server.tool()], "store": False}
    asked = create(**given, input=[QUESTION])
    history = [QUESTION, *items(asked), answer(asked, approve)]
    told = create(**given, input=history)
    assert_told(told, server, approve)
    asked_again = create(**given, input=[*history, *items(told), THANKS])
    assert [item.type for item in asked_again.output] == ["mcp_approval_request"]
    assert asked_again.output[0].id != asked.output[-1].id
    with pytest.raises(openai.BadRequestError) as raised:
        create(**given, input=[*history[:-1], answer(asked, True)])
    assert raised.value.code == "approval_already_used"


@both
def test_a_chain(create: Create, model: str, server: RealServer, approve: bool) -> None:
    given: Any = {"model": model, "tools": [server.tool()]}
    asked = create(**given, input=[QUESTION])
    told = create(**given, input=[answer(asked, approve)], previous_response_id=asked.id)
    assert_told(told, server, approve)
    asked_again = create(**given, input=[THANKS], previous_response_id=told.id)
    assert [item.type for item in asked_again.output] == ["mcp_approval_request"]
    again = create(**given, input=[answer(asked_again, True)], previous_response_id=asked_again.id)
    assert_told(again, server, True)


@both
def test_a_conversation(
    client: openai.OpenAI, create: Create, model: str, server: RealServer, approve: bool
) -> None:
    conversation = client.conversations.create()
    given: Any = {"model": model, "tools": [server.tool()], "conversation": conversation.id}
    asked = create(**given, input=[QUESTION])
    told = create(**given, input=[answer(asked, approve)])
    assert_told(told, server, approve)
    listed: Any = client.conversations.items.list(conversation.id, order="asc")
    expected = ["message", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response"]
    assert [item.type for item in listed] == [*expected, *(item.type for item in told.output)]


@both
def test_the_background(
    client: openai.OpenAI, model: str, server: RealServer, approve: bool
) -> None:
    given: Any = {"model": model, "tools": [server.tool()], "background": True}
    asked = over(client, client.responses.create(**given, input=[QUESTION]))
    assert [item.type for item in asked.output] == ["mcp_list_tools", "mcp_approval_request"]
    queued = client.responses.create(
        **given, input=[answer(asked, approve)], previous_response_id=asked.id
    )
    assert queued.status == "queued"
    assert_told(over(client, queued), server, approve)
    stream: Any = client.responses.retrieve(queued.id, stream=True)
    assert_told(well_ended(stream), server, approve)


@both
def test_the_background_as_it_streams(
    client: openai.OpenAI, model: str, server: RealServer, approve: bool
) -> None:
    given: Any = {"model": model, "tools": [server.tool()], "background": True, "stream": True}
    asked = well_ended(client.responses.create(**given, input=[QUESTION]))
    denial = answer(asked, approve)
    stream: Any = client.responses.create(**given, input=[denial], previous_response_id=asked.id)
    told = well_ended(stream)
    assert_told(told, server, approve)
    assert items(client.responses.retrieve(told.id)) == items(told)


def over(client: openai.OpenAI, response: Any) -> Any:
    """Ask for a response in the background until it is over, and return it."""
    while response.status in ("queued", "in_progress"):
        time.sleep(0.01)
        response = client.responses.retrieve(response.id)
    return response


def well_ended(stream: Any) -> Any:
    """Return the response at the end of a stream that keeps to the rules."""
    seen = list(stream)
    wrong = violations([event.to_dict() for event in seen])
    assert wrong == [], wrong
    return seen[-1].response


def test_what_needs_no_approval_is_called_at_once(
    create: Create, model: str, server: RealServer
) -> None:
    tool = server.tool(require_approval="never")
    told = create(model=model, tools=[tool], input=[QUESTION])
    assert [item.type for item in told.output] == ["mcp_list_tools", "mcp_call", "message"]
    assert [listed.name for listed in told.output[0].tools] == [server.name]
    assert told.output[1].output == server.five
    assert told.output[1].approval_request_id is None
    assert told.usage.output_tokens == 8
