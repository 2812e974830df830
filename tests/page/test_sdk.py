"""The examples of the page for the Python SDK, with `gateway` for the name of the other package."""

from typing import Any, cast

import pytest

import gateway
from gateway.testing.openai import ImitatedOpenAI
from gateway.types.items import ComputerCall

PROMPT = "Tell me a three sentence bedtime story about a unicorn."
STORY = "".join(ImitatedOpenAI.story)
COMPUTER = {
    "type": "computer_use_preview",
    "display_width": 1024,
    "display_height": 768,
    "environment": "browser",
}
ERRAND = {
    "role": "user",
    "content": [{"type": "text", "text": "Check the latest OpenAI news on bing.com."}],
}
MCP_TOOLS = [
    {
        "type": "mcp",
        "server_label": "deepwiki",
        "server_url": "https://mcp.deepwiki.com/mcp",
        "allowed_tools": ["ask_question"],
    }
]
QUESTION = "What transport protocols does the 2025-03-26 version of the MCP spec support?"


def test_create(sdk: ImitatedOpenAI, capsys: pytest.CaptureFixture[str]) -> None:
    response = gateway.responses(model="openai/o1-pro", input=PROMPT, max_output_tokens=100)
    print(response)
    assert STORY in capsys.readouterr().out
    (received,) = sdk.requests
    assert (received.method, received.path) == ("POST", "/v1/responses")
    assert received.headers["authorization"] == "Bearer sk-invented"
    assert received.json() == {"model": "o1-pro", "input": PROMPT, "max_output_tokens": 100}


async def test_create_asynchronously(sdk: ImitatedOpenAI) -> None:
    response = await gateway.aresponses(model="openai/o1-pro", input=PROMPT, max_output_tokens=100)
    assert response.output_text == STORY
    assert sdk.requests[0].json() == {"model": "o1-pro", "input": PROMPT, "max_output_tokens": 100}


def test_stream(sdk: ImitatedOpenAI) -> None:
    response = gateway.responses(model="openai/o1-pro", input=PROMPT, stream=True)
    _is_the_story(list(response))
    assert sdk.requests[0].json() == {"model": "o1-pro", "input": PROMPT, "stream": True}


async def test_stream_asynchronously(sdk: ImitatedOpenAI) -> None:
    response = await gateway.aresponses(model="openai/o1-pro", input=PROMPT, stream=True)
    _is_the_story([event async for event in response])


def _is_the_story(events: list[gateway.Event]) -> None:
    types = [event.type for event in events]
    assert types[0] == "response.created"
    assert types[-1] == "response.completed"
    assert types.count("response.output_text.delta") == len(ImitatedOpenAI.story)
    assert STORY in str(events[-1])


def test_get(sdk: ImitatedOpenAI) -> None:
    response = gateway.responses(model="openai/o1-pro", input=PROMPT, max_output_tokens=100)
    response_id = response.id
    retrieved_response = gateway.get_responses(response_id=response_id)
    assert retrieved_response.id == response_id
    assert retrieved_response.output == response.output
    assert _calls(sdk)[-1] == ("GET", f"/v1/responses/{_latest(sdk)}")


async def test_get_asynchronously(sdk: ImitatedOpenAI) -> None:
    response = await gateway.aresponses(model="openai/o1-pro", input=PROMPT)
    retrieved_response = await gateway.aget_responses(response_id=response.id)
    assert retrieved_response.id == response.id
    assert _calls(sdk)[-1] == ("GET", f"/v1/responses/{_latest(sdk)}")


def test_delete(sdk: ImitatedOpenAI) -> None:
    response = gateway.responses(model="openai/o1-pro", input=PROMPT, max_output_tokens=100)
    upstream_id = _latest(sdk)
    delete_response = gateway.delete_responses(response_id=response.id)
    assert (delete_response.id, delete_response.deleted) == (response.id, True)
    assert _calls(sdk)[-1] == ("DELETE", f"/v1/responses/{upstream_id}")
    assert upstream_id not in sdk.responses


async def test_delete_asynchronously(sdk: ImitatedOpenAI) -> None:
    response = await gateway.aresponses(model="openai/o1-pro", input=PROMPT)
    upstream_id = _latest(sdk)
    delete_response = await gateway.adelete_responses(response_id=response.id)
    assert delete_response.deleted
    assert upstream_id not in sdk.responses


def test_computer_use(sdk: ImitatedOpenAI) -> None:
    response = gateway.responses(
        model="computer-use-preview",
        tools=[COMPUTER],
        input=[ERRAND],
        reasoning={"summary": "concise"},
        truncation="auto",
    )
    (call,) = response.output
    assert isinstance(call, ComputerCall)
    assert call.to_dict() == sdk.responses[_latest(sdk)]["output"][0]
    assert sdk.requests[0].json() == {
        "model": "computer-use-preview",
        "tools": [COMPUTER],
        "input": [ERRAND],
        "reasoning": {"summary": "concise"},
        "truncation": "auto",
    }


def test_mcp_approval(sdk: ImitatedOpenAI) -> None:
    response = gateway.responses(model="openai/gpt-4.1", tools=MCP_TOOLS, input=QUESTION)
    upstream_id = _latest(sdk)
    mcp_approval_id = None
    for output in cast("tuple[Any, ...]", response.output):
        if output.type == "mcp_approval_request":
            mcp_approval_id = output.id
            break
    assert mcp_approval_id == sdk.responses[upstream_id]["output"][0]["id"]
    approval = {
        "type": "mcp_approval_response",
        "approve": True,
        "approval_request_id": mcp_approval_id,
    }
    response_with_mcp_call = gateway.responses(
        model="openai/gpt-4.1",
        tools=MCP_TOOLS,
        input=[approval],
        previous_response_id=response.id,
    )
    assert [item.type for item in response_with_mcp_call.output] == ["mcp_call", "message"]
    assert response_with_mcp_call.previous_response_id == response.id
    assert [received.json() for received in sdk.requests] == [
        {"model": "gpt-4.1", "tools": MCP_TOOLS, "input": QUESTION},
        {
            "model": "gpt-4.1",
            "tools": MCP_TOOLS,
            "input": [approval],
            "previous_response_id": upstream_id,
        },
    ]


def _latest(openai: ImitatedOpenAI) -> str:
    return list(openai.responses)[-1]


def _calls(openai: ImitatedOpenAI) -> list[tuple[str, str]]:
    return [(received.method, received.path) for received in openai.requests]
