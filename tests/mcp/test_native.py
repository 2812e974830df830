"""Models whose vendor runs MCP servers: who runs them is the operator's decision.

What models say is invented.
"""

from __future__ import annotations

from typing import Any

import openai
import pytest

from gateway.testing import ScriptedUpstream
from gateway.testing.openai import ImitatedOpenAI

from .conftest import RealServer
from .models import TOLD

QUESTION = "How much is 2 and 3?"
HOUSE: Any = {"type": "mcp", "server_label": "house", "require_approval": "never"}


def test_a_vendor_runs_the_servers_that_clients_name(
    client: openai.OpenAI, imitation: ImitatedOpenAI
) -> None:
    connector: Any = {"type": "mcp", "server_label": "mail", "connector_id": "connector_gmail"}
    elsewhere: Any = {"type": "mcp", "server_label": "a", "server_url": "https://a.test"}
    for tool in (connector, elsewhere):
        response = client.responses.create(model="passed", tools=[tool], input=QUESTION)
        assert response.output[0].type == "mcp_approval_request"
        assert imitation.requests[-1].json()["tools"] == [tool]


@pytest.mark.parametrize("approve", [True, False])
def test_a_vendor_is_told_of_an_approval_in_a_history(
    client: openai.OpenAI, imitation: ImitatedOpenAI, approve: bool
) -> None:
    tool: Any = {"type": "mcp", "server_label": "a", "server_url": "https://a.test"}
    given: Any = {"model": "passed", "tools": [tool], "store": False}
    question: Any = {"role": "user", "content": QUESTION}
    asked = client.responses.create(**given, input=[question])
    request = asked.output[-1].to_dict()
    answer = {"approval_request_id": request["id"], "approve": approve}
    history: Any = [question, request, {"type": "mcp_approval_response", **answer}]
    told = client.responses.create(**given, input=history)
    assert [item.type for item in told.output] == ["mcp_call"] * approve + ["message"]
    assert imitation.requests[-1].json()["input"] == history


@pytest.mark.parametrize("model", ["chat", "run", "native"])
def test_the_gateway_runs_the_servers_of_the_operator(
    client: openai.OpenAI, upstream: ScriptedUpstream, model: str
) -> None:
    response = client.responses.create(model=model, tools=[HOUSE], input=QUESTION)
    assert [item.type for item in response.output] == ["mcp_list_tools", "mcp_call", "message"]
    assert response.output_text == f"{TOLD}5"
    sent = upstream.requests[-1].json()["tools"]
    assert [tool["type"] for tool in sent] == ["function"]
    assert "127.0.0.1" not in response.to_json()


def test_a_vendor_that_is_not_let_never_hears_of_the_server(
    client: openai.OpenAI, upstream: ScriptedUpstream, server: RealServer
) -> None:
    secret = "a-token-that-is-the-servers"
    tool = server.tool(require_approval="never", authorization=secret)
    response = client.responses.create(model="run", tools=[tool], input=QUESTION)
    assert response.output_text == f"{TOLD}{server.five}"
    for received in upstream.requests[-2:]:
        assert server.url.encode() not in received.body
        assert secret not in f"{received.body}{received.headers}"
    assert secret not in response.to_json()


def test_functions_of_the_client_wait_beside_a_call_of_the_gateway(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"message": {"type": "string"}}}
    echo: Any = {"type": "function", "name": "echo", "parameters": schema, "strict": False}
    for model in ("chat", "run", "native"):
        first = client.responses.create(model=model, tools=[HOUSE, echo], input=QUESTION)
        types = [item.type for item in first.output]
        assert sorted(types) == ["function_call", "mcp_call", "mcp_list_tools"]
        (call,) = (item for item in first.output if item.type == "function_call")
        output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "Luna"}
        second = client.responses.create(
            model=model, tools=[HOUSE, echo], input=[output], previous_response_id=first.id
        )
        assert [item.type for item in second.output] == ["message"]
        told = second.output_text.removeprefix(TOLD)
        assert sorted(told.split("; ")) == ["5", "Luna"]
