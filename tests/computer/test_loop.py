"""A model fills in a form in a real browser, through the gateway, with two clients' loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from agents import Agent, ComputerTool, OpenAIResponsesModel, RunConfig, Runner
from openai.lib.computer import AsyncComputerToolset

from .chromium import HEIGHT, WIDTH
from .computers import SdkDriver

if TYPE_CHECKING:
    from agents.tool import ComputerToolSafetyCheckData
    from openai.types.responses import ResponseComputerToolCall

    from .conftest import Task

pytestmark = pytest.mark.asyncio(loop_scope="session")

WISH = "Put Luna on the list of guests."
DONE = "Luna is on the list."
TOOLS: dict[str, Any] = {
    "computer": {"type": "computer"},
    "computer_use_preview": {
        "type": "computer_use_preview",
        "environment": "browser",
        "display_width": WIDTH,
        "display_height": HEIGHT,
    },
}


@pytest.mark.parametrize("tool", TOOLS)
async def test_the_official_toolset_reaches_the_goal(
    tool: str, alias: str, task: Task, client: openai.AsyncOpenAI
) -> None:
    asked: list[str] = []

    async def approve(call: ResponseComputerToolCall) -> bool:
        asked.extend(check.message or "" for check in call.pending_safety_checks or ())
        return True

    answer = await AsyncComputerToolset(SdkDriver(task.computer)).run(
        client,
        {"model": alias, "input": WISH, "tools": [TOOLS[tool]]},
        approve_safety_checks=approve,
    )
    assert answer.output_text == DONE
    task.check(asked)


@pytest.mark.parametrize("alias", ["gemini"])
async def test_nothing_goes_on_without_the_consent_that_the_model_wants(
    alias: str, task: Task, client: openai.AsyncOpenAI
) -> None:
    agent = Agent(
        name="clerk",
        model=OpenAIResponsesModel(alias, client),
        tools=[ComputerTool(task.computer)],  # which passes over safety checks
    )
    with pytest.raises(openai.BadRequestError, match="acknowledged_safety_checks") as refused:
        await Runner.run(agent, WISH, run_config=RunConfig(tracing_disabled=True))
    assert refused.value.param
    assert len(task.model.asked) == len(task.model.turns) - 2


@pytest.mark.parametrize("kept", [False, True], ids=["stateless", "kept"])
@pytest.mark.parametrize("prefix", ["", "computer-use-preview-"], ids=["computer", "preview"])
async def test_an_agent_reaches_the_goal(
    prefix: str, kept: bool, alias: str, task: Task, client: openai.AsyncOpenAI
) -> None:
    asked: list[str] = []

    def approve(data: ComputerToolSafetyCheckData) -> bool:
        asked.append(data.safety_check.message or "")
        return True

    agent = Agent(
        name="clerk",
        model=OpenAIResponsesModel(f"{prefix}{alias}", client),
        tools=[ComputerTool(task.computer, on_safety_check=approve)],
    )
    result = Runner.run_streamed(
        agent,
        WISH,
        run_config=RunConfig(tracing_disabled=True),
        auto_previous_response_id=kept,
    )
    async for _ in result.stream_events():
        pass
    assert result.final_output == DONE
    task.check(asked)
