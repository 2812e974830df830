"""Recorded conversations of several turns, held as conversations of Responses.

The vendor says what it said in each turn, as the recorded request of a later turn repeats it, and
then what it was recorded to answer. In the turn after that it must be told all of it again: with
signatures, redacted blocks and the results of its own tools, verbatim and in order. All that it is
asked, and how it is asked to count that, its own types know.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from gateway.testing import Script, json_answer
from tests.vendors.judging import judge

from .conftest import FAMILIES, asking, entry, recordings
from .families import ends, functions, recorded, request_for
from .histories import calls_in, history, history_in, play, turns_of, words_in

if TYPE_CHECKING:
    import openai

    from gateway.testing import ScriptedUpstream
    from tests.conftest import RunGateway

    from .conftest import Recording

API = tuple(FAMILIES)
pytestmark = pytest.mark.asyncio(loop_scope="module")
USER = {"role": "user", "content": "Go on."}
COUNTED = 17
VERSION = re.compile(r"gemini-(\d+)")


def goes_on(recording: Recording) -> bool:
    """Say whether a conversation can go on after what was recorded: all was said, in words or
    in calls.
    """
    told = recorded(recording) if ends(recording) else None
    return told is not None and told.status == "completed" and told.order != ()


ABOUT = {
    "test_what_the_vendor_said_comes_back_to_it": goes_on,
    "test_without_its_reasoning_the_conversation_goes_on": goes_on,
}


class Conversation:
    """A conversation with one model, whose far end plays the turns of a recording."""

    def __init__(
        self, client: openai.AsyncOpenAI, upstream: ScriptedUpstream, recording: Recording
    ) -> None:
        self._client = client
        self._upstream = upstream
        self._recording = recording
        self.turns = turns_of(recording)

    async def hold(self, keep: str) -> dict[str, Any]:
        """Hold the conversation, have its tokens counted, and return the last request to the vendor
        for an answer.
        """
        self._upstream.forget()
        self._upstream.add(*self._answers())
        given: list[Any] = [USER]
        more: dict[str, Any] = {} if keep == "stored" else {"store": False, "include": [SEALED]}
        for _ in range(len(self.turns) + 1):
            answer = await self._client.responses.create(
                model=self._recording.name, input=given, **self._request(), **more
            )
            assert answer.status == "completed", answer.incomplete_details
            said = answer.to_dict()["output"]
            following = outputs_of(said) or [USER]
            if keep == "stored":
                given, more = following, {"previous_response_id": answer.id}
            else:
                given = [*given, *kept_of(said, keep), *following]
        await self._count(given, more.get("previous_response_id"))
        for received in self._upstream.requests:
            judge(received.path, received.json())
        *_, answered, counted = self._upstream.requests
        assert answered.path != counted.path
        return answered.json()

    async def _count(self, given: list[Any], previous: str | None) -> None:
        counted = await self._client.responses.input_tokens.count(
            model=self._recording.name,
            input=given,
            previous_response_id=previous,
            **self._request(),
        )
        assert counted.input_tokens == COUNTED

    def _answers(self) -> list[Script]:
        provider, meta = self._recording.provider.name, self._recording.meta
        kind = {"content-type": meta["content_type"]}
        return [
            *(play(provider, turn) for turn in self.turns[:-1]),
            Script(headers=kind, body=(self._recording.body,)),
            play(provider, last_words(provider)),
            json_answer(dict.fromkeys(("input_tokens", "inputTokens", "totalTokens"), COUNTED)),
        ]

    def _request(self) -> dict[str, Any]:
        """Return what each turn asks for: the tools of all of them."""
        names = [name for turn in self.turns for name, _ in calls_in(history(turn))]
        request = request_for(recorded(self._recording))
        hosted = [tool for tool in request["tools"] if tool["type"] != "function"]
        kept = {"reasoning": request["reasoning"]} if "reasoning" in request else {}
        return {**kept, "tools": [*functions(names), *hosted]}


SEALED: Any = "reasoning.encrypted_content"


def last_words(provider: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": "Bye."} if provider == "anthropic" else {"text": "Bye."}]


def outputs_of(said: list[dict[str, Any]]) -> list[Any]:
    """Return what the calls in `said` came to."""
    calls = [item for item in said if item["type"] == "function_call"]
    return [
        {"type": "function_call_output", "call_id": call["call_id"], "output": "20"}
        for call in calls
    ]


def kept_of(said: list[dict[str, Any]], keep: str) -> list[Any]:
    """Return what a client keeps of `said`: `all` of it, of reasoning only what is `sealed`, or
    no reasoning: `forgetful`.
    """
    if keep == "all":
        return said
    others = [item for item in said if item["type"] != "reasoning"]
    if keep == "forgetful":
        return others
    return [one if one["type"] != "reasoning" else {**one, "summary": []} for one in said]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    upstream: ScriptedUpstream, run_gateway: RunGateway
) -> AsyncGenerator[openai.AsyncOpenAI]:
    models = [
        entry(recording.name, recording.provider.name, recording.model, upstream.url)
        for recording in recordings(FAMILIES)
    ]
    async with asking(run_gateway, models) as client:
        yield client


@pytest.mark.parametrize("keep", ["stored", "all", "sealed"])
async def test_what_the_vendor_said_comes_back_to_it(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, recording: Recording, keep: str
) -> None:
    conversation = Conversation(client, upstream, recording)
    sent = await conversation.hold(keep)
    said = history(block for turn in conversation.turns for block in turn)
    assert history_in(sent) == said


async def test_without_its_reasoning_the_conversation_goes_on(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, recording: Recording
) -> None:
    conversation = Conversation(client, upstream, recording)
    sent = await conversation.hold("forgetful")
    said = history(block for turn in conversation.turns for block in turn)
    told = history_in(sent)
    assert words_in(told) == words_in(said)
    assert calls_in(told) == calls_in(said, of_servers=True)
    assert halves_in(told) == set()
    assert_calls_are_signed(recording, sent)


def halves_in(told: list[Any]) -> set[str]:
    """Return the uses of the vendor's own tools without a result, and the results without a use."""
    blocks = [one for one in told if not isinstance(one, str)]
    uses = {
        one["id"] for one in blocks if str(one.get("type")).startswith(("server_", "mcp_tool_use"))
    }
    return uses ^ {one["tool_use_id"] for one in blocks if "tool_use_id" in one}


def assert_calls_are_signed(recording: Recording, sent: dict[str, Any]) -> None:
    """Check that the first call of each step is signed for a Gemini that demands it."""
    version = VERSION.search(recording.model)
    for content in sent.get("contents", ()) if version and int(version[1]) >= 3 else ():
        calls = [part for part in content["parts"] if "functionCall" in part]
        if content["role"] == "model" and calls:
            assert calls[0].get("thoughtSignature"), content
