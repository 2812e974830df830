"""What OpenAI was recorded to tell of MCP servers, told by the gateway of the same situation."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from gateway.stream.lifecycle import violations
from gateway.testing import ScriptedUpstream

from .creating import by_the_helper
from .recordings import (
    Json,
    Situation,
    chat_model,
    mcp_server,
    of_mcp,
    responses_model,
    situations,
    told,
)

every_situation = pytest.mark.parametrize("situation", situations())
SERVER = "/recorded/{}/mcp"
UNKNOWN = ("server_url", "headers")  # of a tool; the corpus does not tell headers


class Stage:
    """The situation, before the gateway: its model and its servers are on `upstream`."""

    def __init__(self, client: openai.OpenAI, upstream: ScriptedUpstream, model: str) -> None:
        self._client = client
        self._upstream = upstream
        self._model = model

    @property
    def thinks(self) -> bool:
        return self._model == "recorded-run"

    def play(self, situation: Situation) -> Any:
        """Return what a client reads: a response, or a list of events."""
        return self._create(situation, self._prepare(situation), stream=bool(situation.events))

    def play_for_the_helper(self, situation: Situation) -> Any:
        """Return the response that the strict helper of the SDK makes of a stream."""
        context: Any = self._prepare(situation)
        tools: Any = self._tools(situation)
        return by_the_helper(self._client)(model=self._model, tools=tools, input=context).to_dict()

    def _prepare(self, situation: Situation) -> list[Json]:
        """Put the model and its servers in place; return the input."""
        for tool in situation.tools:
            label = tool["server_label"]
            self._upstream.handle(SERVER.format(label), mcp_server(situation, label))
        context = situation.context
        if (answered := situation.answered) is not None:
            context = [*context, *self._ask(situation, answered)]
        self._says(situation, situation.turns)
        return context

    def _ask(self, situation: Situation, call: Json) -> list[Json]:
        """Have the model ask for `call`; return the request, and what was recorded as its answer.

        The listing is left out, as it was then: there was another.
        """
        self._says(situation, [[{**call, "type": "mcp_approval_request"}]])
        asked = self._create(situation, situation.context, stream=False)
        request = asked["output"][-1]
        answer = {"type": "mcp_approval_response", "approval_request_id": request["id"]}
        return [request, {**answer, "approve": "denied" not in call}]

    def _says(self, situation: Situation, turns: list[list[Json]]) -> None:
        chat = "/recorded/chat/v1/chat/completions"
        self._upstream.handle(chat, chat_model(situation, turns))
        self._upstream.handle("/recorded/v1/responses", responses_model(situation, turns))

    def _create(self, situation: Situation, context: list[Json], *, stream: bool) -> Any:
        tools = self._tools(situation)
        given: Any = {"model": self._model, "tools": tools, "input": context, "stream": stream}
        answer: Any = self._client.responses.create(**given)
        return [event.to_dict() for event in answer] if stream else answer.to_dict()

    def _tools(self, situation: Situation) -> list[Json]:
        return [
            {**tool, "server_url": f"{self._upstream.url}{SERVER.format(tool['server_label'])}"}
            for tool in situation.tools
        ]


@pytest.fixture(params=["recorded-chat", "recorded-run"])
def stage(
    client: openai.OpenAI, upstream: ScriptedUpstream, request: pytest.FixtureRequest
) -> Stage:
    return Stage(client, upstream, request.param)


@every_situation
def test_the_gateway_tells_what_was_recorded(situation: Situation, stage: Stage) -> None:
    answer = stage.play(situation)
    response = answer
    if situation.events:
        recorded = told(situation.events, thoughts=stage.thinks)
        assert told(answer, thoughts=stage.thinks) == recorded
        assert violations(answer) == []
        response = answer[-1]["response"]
    assert output(response, stage) == output(situation.response, stage)
    assert echo(response) == echo(situation.response)


@every_situation
def test_the_strict_helper_reads_what_was_recorded(situation: Situation, stage: Stage) -> None:
    response = stage.play_for_the_helper(situation)
    assert output(response, stage) == output(situation.response, stage)


def output(response: Json, stage: Stage) -> list[Any]:
    return of_mcp(one for one in response["output"] if stage.thinks or one["type"] != "reasoning")


def echo(response: Json) -> list[Json]:
    """Return the tools that a response repeats, as far as the recordings tell them."""
    return [
        {name: value for name, value in tool.items() if name not in UNKNOWN}
        for tool in response["tools"]
    ]
