"""Models that think go on with what they thought, also after an approval. All is invented."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from gateway.testing import ScriptedUpstream

from .creating import Create, by_events
from .thinkers import ALL, SIGNATURE, Thinker

QUESTION: Any = {"role": "user", "content": "How much is 2 and 3?"}
FUNCTION = "mcp__sums__add"
DENIED = "The user denied this call."

every_thinker = pytest.mark.parametrize("thinker", ALL, ids=lambda thinker: thinker.entry)


@pytest.fixture(params=["whole", "streamed"])
def create(client: openai.OpenAI, request: pytest.FixtureRequest) -> Create:
    return by_events(client) if request.param == "streamed" else client.responses.create


@pytest.fixture
def tool(modern_url: str) -> Any:
    tool = {"type": "mcp", "server_label": "sums", "server_url": modern_url}
    return {**tool, "allowed_tools": ["add"]}


def remembered(thinker: Thinker, upstream: ScriptedUpstream) -> list[str]:
    """Return what the model was told last of what it had said before."""
    assert upstream.requests[-1].path == thinker.path
    return thinker.remembered(upstream.requests[-1].json())


@every_thinker
def test_a_model_that_calls_at_once_knows_what_it_thought(
    create: Create, thinker: Thinker, tool: Any, upstream: ScriptedUpstream
) -> None:
    tool = {**tool, "require_approval": "never"}
    told = create(model=thinker.entry, tools=[tool], input=[QUESTION])
    assert [item.type for item in told.output][-2:] == ["mcp_call", "message"]
    assert told.output_text == "5"
    assert remembered(thinker, upstream) == [SIGNATURE, FUNCTION, "5"]


@every_thinker
@pytest.mark.parametrize("approve", [True, False], ids=["approved", "denied"])
def test_a_model_that_has_asked_knows_what_it_thought(
    create: Create, thinker: Thinker, tool: Any, upstream: ScriptedUpstream, approve: bool
) -> None:
    for store in (True, False):
        told = ask_and_answer(
            create, {"model": thinker.entry, "tools": [tool], "store": store}, approve=approve
        )
        outcome = "5" if approve else DENIED
        assert told.output_text == outcome
        assert remembered(thinker, upstream) == [SIGNATURE, FUNCTION, outcome]


def ask_and_answer(create: Create, given: Any, *, approve: bool) -> Any:
    """Return what the model says when the call that it asks for is approved or not."""
    asked = create(**given, input=[QUESTION])
    kind, request = "mcp_approval_response", asked.output[-1].id
    answer: Any = {"type": kind, "approval_request_id": request, "approve": approve}
    if given["store"]:
        return create(**given, input=[answer], previous_response_id=asked.id)
    output = [item.to_dict() for item in asked.output]
    return create(**given, input=[QUESTION, *output, answer])
