"""The page's example for MCP, in its own form, on models that know of MCP and others.

Only the names of model, server and function differ. What models say is invented.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import openai
import pytest

from gateway import Gateway
from gateway.client import background
from gateway.client.functions import DEFAULT
from gateway.testing.openai import ImitatedOpenAI

from .conftest import RealServer
from .creating import Create, by_events, by_functions, by_streaming_functions, by_the_helper
from .models import TOLD

QUESTION = "How much is 2 and 3?"


@pytest.fixture(scope="module")
def sdk(config: Any, tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Have the functions of the package follow the configuration."""
    directory = tmp_path_factory.mktemp("sdk")
    file = directory / "gateway.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEWAY_HOME", str(directory))
        patch.setattr(background, "Gateway", lambda: Gateway.from_config(Path(file)))
        yield
        DEFAULT.stop()


@pytest.fixture(params=["sdk", "sdk, streamed", "proxy", "proxy, streamed", "proxy, helper"])
def create(request: pytest.FixtureRequest) -> Create:
    """Return a way to create responses."""
    if request.param.startswith("sdk"):
        request.getfixturevalue("sdk")
        return by_functions if request.param == "sdk" else by_streaming_functions
    client: openai.OpenAI = request.getfixturevalue("client")
    match request.param:
        case "proxy":
            return client.responses.create
        case "proxy, streamed":
            return by_events(client)
        case _:
            return by_the_helper(client)


@pytest.mark.parametrize("approve", [True, False])
def test_mcp_approval(create: Create, kind: str, server: RealServer, approve: bool) -> None:
    # Configure MCP Tools
    MCP_TOOLS = [  # noqa: N806 - as the page writes it
        {
            "type": "mcp",
            "server_label": "sums",
            "server_url": server.url,
            "allowed_tools": [server.name],
        }
    ]

    # Step 1: Make initial request
    response = create(model=kind, tools=MCP_TOOLS, input=QUESTION)

    # Get the MCP approval ID
    mcp_approval_id = None
    for output in response.output:
        if output.type == "mcp_approval_request":
            mcp_approval_id = output.id
            break

    # Step 2: Send followup with approval for the MCP call
    response_with_mcp_call = create(
        model=kind,
        tools=MCP_TOOLS,
        input=[
            {
                "type": "mcp_approval_response",
                "approve": approve,
                "approval_request_id": mcp_approval_id,
            }
        ],
        previous_response_id=response.id,
    )

    request = response.output[-1]
    assert (request.server_label, request.name) == ("sums", server.name)
    assert response.status == response_with_mcp_call.status == "completed"
    assert response_with_mcp_call.previous_response_id == response.id
    types = [item.type for item in response_with_mcp_call.output]
    assert types == (["mcp_call", "message"] if approve else ["message"])
    if approve:
        call = response_with_mcp_call.output[0]
        assert call.approval_request_id == mcp_approval_id
        assert (call.server_label, call.name) == (request.server_label, request.name)
        assert (call.arguments, call.error) == (request.arguments, None)
    if kind != "passed":
        assert [item.type for item in response.output] == ["mcp_list_tools", request.type]
        outcome = server.five if approve else "The user denied this call."
        assert response_with_mcp_call.output_text == f"{TOLD}{outcome}"
    else:
        assert response_with_mcp_call.output_text == "".join(ImitatedOpenAI.story)
