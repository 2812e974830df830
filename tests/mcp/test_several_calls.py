"""Several calls that a model wants at once, of which some need an approval.

What models say is invented.
"""

from __future__ import annotations

from typing import Any

import openai
import pytest

from gateway.testing import ScriptedUpstream

from .creating import Create, by_events
from .models import TOLD

ECHO, SUM = "Echo: Luna", "The sum of 2 and 3 is 5."
DENIED = "The user denied this call."
QUESTION: Any = {"role": "user", "content": "How much is 2 and 3? And say my name."}

on_each = pytest.mark.parametrize("model", ["chat", "run"])


@pytest.fixture(params=["whole", "streamed"])
def create(client: openai.OpenAI, request: pytest.FixtureRequest) -> Create:
    return by_events(client) if request.param == "streamed" else client.responses.create


@pytest.fixture
def tool(everything_url: str) -> Any:
    return {
        "type": "mcp",
        "server_label": "everything",
        "server_url": everything_url,
        "allowed_tools": ["echo", "get-sum"],
    }


def requests(response: Any) -> dict[str, str]:
    """Return the ids of what is asked, by the names of the functions."""
    return {item.name: item.id for item in response.output if item.type == "mcp_approval_request"}


def answer(request: str, approve: bool) -> Any:
    kind = "mcp_approval_response"
    return {"type": kind, "approval_request_id": request, "approve": approve}


def said(response: Any) -> list[str]:
    return sorted(response.output_text.removeprefix(TOLD).split("; "))


@on_each
@pytest.mark.parametrize("sums", [True, False])
def test_each_is_answered_for_itself(create: Create, tool: Any, model: str, sums: bool) -> None:
    given: Any = {"model": model, "tools": [tool]}
    asked = create(**given, input=[QUESTION])
    ids = requests(asked)
    assert set(ids) == {"echo", "get-sum"}
    answers = [answer(ids["get-sum"], sums), answer(ids["echo"], True)]
    told = create(**given, input=answers, previous_response_id=asked.id)
    outputs = {item.name: item.output for item in told.output if item.type == "mcp_call"}
    assert outputs == ({"get-sum": SUM, "echo": ECHO} if sums else {"echo": ECHO})
    assert said(told) == sorted([ECHO, SUM if sums else DENIED])


@on_each
def test_one_is_answered_now_and_the_other_later(create: Create, tool: Any, model: str) -> None:
    given: Any = {"model": model, "tools": [tool]}
    asked = create(**given, input=[QUESTION])
    ids = requests(asked)
    first = create(**given, input=[answer(ids["echo"], True)], previous_response_id=asked.id)
    assert ECHO in said(first)
    second = create(**given, input=[answer(ids["get-sum"], True)], previous_response_id=first.id)
    outputs = [item.output for item in second.output if item.type == "mcp_call"]
    assert outputs == [SUM]


@on_each
def test_what_is_never_answered_does_not_keep_the_user_from_going_on(
    create: Create, tool: Any, model: str, upstream: ScriptedUpstream
) -> None:
    given: Any = {"model": model, "tools": [tool]}
    asked = create(**given, input=[QUESTION])
    again = create(**given, input=[QUESTION], previous_response_id=asked.id)
    assert set(requests(again)) == {"echo", "get-sum"}
    sent = upstream.requests[-1].body.decode()
    assert sent.count("The user has not approved this call.") == 2
