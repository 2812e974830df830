"""The `HostedMCPTool` of openai-agents: each policy, and its callback.

What models say is invented.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

import openai
import pytest
from agents import Agent, HostedMCPTool, OpenAIResponsesModel, RunConfig, Runner

from .conftest import RealServer
from .models import TOLD

if TYPE_CHECKING:
    from agents import MCPToolApprovalFunctionResult, MCPToolApprovalRequest
    from agents.result import RunResultBase

    from tests.conftest import GatewayProcess

QUESTION = "How much is 2 and 3?"

Ask = Callable[..., Any]


class User:
    """Answers the requests for approval, all in the same way."""

    def __init__(self, *, approves: bool = True) -> None:
        self.asked: list[str] = []
        self._approves = approves

    def answer(self, asked: MCPToolApprovalRequest) -> MCPToolApprovalFunctionResult:
        self.asked.append(asked.data.name)
        if self._approves:
            return {"approve": True}
        return {"approve": False, "reason": "not now"}


@pytest.fixture
async def client(proxy: GatewayProcess) -> AsyncGenerator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1", api_key="none", max_retries=0
    ) as client:
        yield client


@pytest.fixture(params=["chat", "run"])
def model(request: pytest.FixtureRequest, client: openai.AsyncOpenAI) -> OpenAIResponsesModel:
    return OpenAIResponsesModel(request.param, client)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture(params=[False, True], ids=["replayed", "chained"])
def ask(model: OpenAIResponsesModel, streamed: bool, request: pytest.FixtureRequest) -> Ask:
    """Return a function that has an agent with one tool answer the question."""
    settings: dict[str, Any] = {
        "run_config": RunConfig(tracing_disabled=True),
        "auto_previous_response_id": request.param,
        "max_turns": 3,
    }

    async def run(tool: Any, user: User) -> RunResultBase:
        hosted = HostedMCPTool(tool_config=tool, on_approval_request=user.answer)
        agent = Agent(name="adder", model=model, tools=[hosted])
        if not streamed:
            return await Runner.run(agent, QUESTION, **settings)
        result = Runner.run_streamed(agent, QUESTION, **settings)
        async for _ in result.stream_events():
            pass
        return result

    return run


def calls(result: RunResultBase) -> list[str]:
    """Return the names of the functions that were called for the agent."""
    output = [item for response in result.raw_responses for item in response.output]
    return [item.name for item in output if item.type == "mcp_call"]


async def test_always(ask: Ask, server: RealServer) -> None:
    user = User()
    result = await ask(server.tool(require_approval="always"), user)
    assert result.final_output == f"{TOLD}{server.five}"
    assert user.asked == calls(result) == [server.name]


async def test_always_and_denied(ask: Ask, server: RealServer) -> None:
    user = User(approves=False)
    result = await ask(server.tool(require_approval="always"), user)
    assert result.final_output == f"{TOLD}The user denied this call. not now"
    assert user.asked == [server.name]
    assert calls(result) == []


async def test_never(ask: Ask, server: RealServer) -> None:
    user = User()
    result = await ask(server.tool(require_approval="never"), user)
    assert result.final_output == f"{TOLD}{server.five}"
    assert calls(result) == [server.name]
    assert user.asked == []


async def test_one_tool_always_and_another_never(ask: Ask, everything_url: str) -> None:
    user = User()
    tool = {
        "type": "mcp",
        "server_label": "everything",
        "server_url": everything_url,
        "allowed_tools": ["echo", "get-sum"],
        "require_approval": {
            "always": {"tool_names": ["echo"]},
            "never": {"tool_names": ["get-sum"]},
        },
    }
    result = await ask(tool, user)
    assert user.asked == ["echo"]
    assert sorted(calls(result)) == ["echo", "get-sum"]
    told = result.final_output.removeprefix(TOLD)
    assert sorted(told.split("; ")) == ["Echo: Luna", "The sum of 2 and 3 is 5."]
