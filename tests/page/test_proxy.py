"""The examples of the page for the proxy, with the official OpenAI SDK."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest
import pytest_asyncio
from openai import AsyncOpenAI, NotFoundError, OpenAI

from gateway.testing.openai import ImitatedOpenAI

PROMPT = "Tell me a three sentence bedtime story about a unicorn."
STORY = "".join(ImitatedOpenAI.story)
CONFIG = """
model_list:
  - model_name: openai/o1-pro
    litellm_params:
      model: openai/o1-pro
      api_key: os.environ/OPENAI_API_KEY
"""
MCP_CONFIG = """
model_list:
  - model_name: openai/gpt-4.1
    litellm_params:
      model: openai/gpt-4.1
      api_key: os.environ/OPENAI_API_KEY
"""
# The page shows the first configuration here too, which has no such model.
COMPUTER_CONFIG = f"""{CONFIG}
  - model_name: computer-use-preview
    litellm_params:
      model: openai/computer-use-preview
      api_key: os.environ/OPENAI_API_KEY
"""
COMPUTER: Any = {
    "type": "computer_use_preview",
    "display_width": 1024,
    "display_height": 768,
    "environment": "browser",
}
ERRAND: Any = {
    "role": "user",
    "content": [{"type": "text", "text": "Check the latest OpenAI news on bing.com."}],
}
MCP_TOOLS: Any = [
    {
        "type": "mcp",
        "server_label": "deepwiki",
        "server_url": "https://mcp.deepwiki.com/mcp",
        "allowed_tools": ["ask_question"],
    }
]
QUESTION = "What transport protocols does the 2025-03-26 version of the MCP spec support?"


@pytest.fixture(scope="module")
def address(serve: Any) -> Iterator[str]:
    """The proxy with the page's first configuration."""
    with serve(CONFIG) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=address, api_key="your-api-key") as client:
        yield client


@pytest_asyncio.fixture
async def async_client(address: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=address, api_key="your-api-key") as client:
        yield client


def test_create(client: OpenAI, openai: ImitatedOpenAI) -> None:
    response = client.responses.create(model="openai/o1-pro", input=PROMPT)
    assert response.output_text == STORY
    (received,) = openai.requests
    assert (received.method, received.path) == ("POST", "/v1/responses")
    assert received.headers["authorization"] == "Bearer sk-invented"
    assert received.json() == {"model": "o1-pro", "input": PROMPT}


async def test_create_asynchronously(async_client: AsyncOpenAI, openai: ImitatedOpenAI) -> None:
    response = await async_client.responses.create(model="openai/o1-pro", input=PROMPT)
    assert response.output_text == STORY
    assert openai.requests[0].json() == {"model": "o1-pro", "input": PROMPT}


def test_stream(client: OpenAI, openai: ImitatedOpenAI) -> None:
    response = client.responses.create(model="openai/o1-pro", input=PROMPT, stream=True)
    events = list(response)
    assert [event.type for event in (events[0], events[-1])] == [
        "response.created",
        "response.completed",
    ]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == list(ImitatedOpenAI.story)
    assert openai.requests[0].json() == {"model": "o1-pro", "input": PROMPT, "stream": True}


async def test_stream_asynchronously(async_client: AsyncOpenAI, openai: ImitatedOpenAI) -> None:
    response = await async_client.responses.create(model="openai/o1-pro", input=PROMPT, stream=True)
    events = [event async for event in response]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == list(ImitatedOpenAI.story)
    assert openai.requests[0].json()["stream"] is True


def test_retrieve(client: OpenAI, openai: ImitatedOpenAI) -> None:
    response = client.responses.create(model="openai/o1-pro", input=PROMPT)
    retrieved_response = client.responses.retrieve(response.id)
    assert retrieved_response.id == response.id
    assert retrieved_response.output == response.output
    assert _calls(openai)[-1] == ("GET", f"/v1/responses/{_latest(openai)}")


def test_delete(client: OpenAI, openai: ImitatedOpenAI) -> None:
    response = client.responses.create(model="openai/o1-pro", input=PROMPT)
    upstream_id = _latest(openai)
    client.responses.delete(response.id)
    assert _calls(openai)[-1] == ("DELETE", f"/v1/responses/{upstream_id}")
    assert upstream_id not in openai.responses
    with pytest.raises(NotFoundError):
        client.responses.retrieve(response.id)


async def test_retrieve_and_delete_asynchronously(
    async_client: AsyncOpenAI, openai: ImitatedOpenAI
) -> None:
    response = await async_client.responses.create(model="openai/o1-pro", input=PROMPT)
    upstream_id = _latest(openai)
    assert (await async_client.responses.retrieve(response.id)).id == response.id
    await async_client.responses.delete(response.id)
    assert upstream_id not in openai.responses


def test_a_model_that_is_not_in_the_configuration_is_not_served(
    client: OpenAI, openai: ImitatedOpenAI
) -> None:
    with pytest.raises(NotFoundError, match="computer-use-preview"):
        client.responses.create(model="computer-use-preview", input=[ERRAND])
    assert openai.requests == []


def test_computer_use(serve: Any, openai: ImitatedOpenAI) -> None:
    with (
        serve(COMPUTER_CONFIG) as address,
        OpenAI(base_url=address, api_key="your-api-key") as client,
    ):
        response = client.responses.create(
            model="computer-use-preview",
            tools=[COMPUTER],
            input=[ERRAND],
            reasoning={"summary": "concise"},
            truncation="auto",
        )
    assert [item.to_dict() for item in response.output] == _kept(openai)["output"]
    assert response.output[0].type == "computer_call"
    assert openai.requests[0].json() == {
        "model": "computer-use-preview",
        "tools": [COMPUTER],
        "input": [ERRAND],
        "reasoning": {"summary": "concise"},
        "truncation": "auto",
    }


def test_mcp_approval(serve: Any, openai: ImitatedOpenAI) -> None:
    with (
        serve(MCP_CONFIG) as address,
        OpenAI(base_url=address, api_key="your-api-key") as client,
    ):
        response = client.responses.create(model="openai/gpt-4.1", tools=MCP_TOOLS, input=QUESTION)
        upstream_id = _latest(openai)
        mcp_approval_id = None
        for output in response.output:
            if output.type == "mcp_approval_request":
                mcp_approval_id = output.id
                break
        approval = {
            "type": "mcp_approval_response",
            "approve": True,
            "approval_request_id": mcp_approval_id,
        }
        response_with_mcp_call = client.responses.create(
            model="openai/gpt-4.1",
            tools=MCP_TOOLS,
            input=cast("Any", [approval]),
            previous_response_id=response.id,
        )
    assert mcp_approval_id == openai.responses[upstream_id]["output"][0]["id"]
    assert [item.type for item in response_with_mcp_call.output] == ["mcp_call", "message"]
    assert response_with_mcp_call.previous_response_id == response.id
    assert [received.json() for received in openai.requests] == [
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


def _kept(openai: ImitatedOpenAI) -> dict[str, Any]:
    return openai.responses[_latest(openai)]


def _calls(openai: ImitatedOpenAI) -> list[tuple[str, str]]:
    return [(received.method, received.path) for received in openai.requests]
