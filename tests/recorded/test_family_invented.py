"""Whatever Claude, Gemini and models on Bedrock may say is told, and comes back to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from gateway.plugin import Call, Deployment, Dialect
from gateway.plugin.manager import Plugins
from gateway.stream.lifecycle import violations
from gateway.testing import replay as play
from gateway.testing.preparing import Prepared
from gateway.testing.replay import plain
from gateway.types.request import decode_request

from .families import functions
from .histories import history, history_in
from .invented import (
    BEDROCK_SAYS,
    CLAUDE_SAYS,
    GEMINI_SAYS,
    bedrock_stream,
    bedrock_whole,
    claude_stream,
    claude_whole,
    gemini_grounded,
    gemini_stream,
    gemini_whole,
)
from .reading_converse import read_converse
from .reading_gemini import read_gemini
from .reading_messages import read_messages
from .synthetic import Json, bedrock_event, claude_event, gemini_frame
from .telling import Telling, read_telling, without_minted

PROVIDERS = Plugins().providers()
USER = {"role": "user", "content": "Go on."}
thorough = settings(max_examples=50, deadline=None, derandomize=True)


class Family(Struct, frozen=True):
    """How a vendor speaks, and how it is read."""

    provider: str
    model: str
    says: st.SearchStrategy[list[Json]]
    stream: Callable[[list[Json], str], bytes]
    whole: Callable[[list[Json], str], bytes]
    read: Callable[..., Telling]
    ending: str
    endings: tuple[str, ...]

    @property
    def dialect(self) -> Dialect:
        return cast("Dialect", PROVIDERS[self.provider].dialect)

    def call(self, said: list[Any]) -> Call:
        """Return a call after what was `said`."""
        asked: Json = {"model": "m", "input": [USER, *said], "tools": functions(["look_up"])}
        provider = PROVIDERS[self.provider]
        deployment = Deployment(
            alias="m",
            provider=provider.name,
            model=self.model,
            account="account",
            base_url="https://upstream.test",
            quirks=provider.quirks,
        )
        request = decode_request(json.dumps(asked).encode())
        return Call(request=request, model=self.model, deployment=deployment)

    def events(self, body: bytes, pieces: list[int], *, whole: bool) -> list[Any]:
        """Return what a client gets if the answer is `body`, which comes in `pieces`."""
        places = sorted({0, *(piece % len(body) for piece in pieces), len(body)})
        chunks = [body[start:end] for start, end in pairwise(places)]
        return list(plain(play(self.dialect, self.call([]), chunks, whole=whole)))


FAMILIES = {
    "claude": Family(
        "anthropic",
        "claude-sonnet-4-5",
        CLAUDE_SAYS,
        claude_stream,
        claude_whole,
        read_messages,
        "end_turn",
        ("end_turn", "max_tokens", "stop_sequence", "refusal", "model_context_window_exceeded"),
    ),
    "gemini": Family(
        "gemini",
        "gemini-2.5-flash",
        GEMINI_SAYS,
        gemini_stream,
        gemini_whole,
        read_gemini,
        "STOP",
        ("STOP", "MAX_TOKENS", "SAFETY", "RECITATION"),
    ),
    "bedrock": Family(
        "bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        BEDROCK_SAYS,
        bedrock_stream,
        bedrock_whole,
        read_converse,
        "end_turn",
        ("end_turn", "max_tokens", "guardrail_intervened", "content_filtered"),
    ),
}
each_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
PIECES = st.lists(st.integers(0, 10_000), max_size=6)


@each_family
@thorough
@given(data=st.data(), pieces=PIECES, whole=st.booleans())
def test_what_is_said_is_told(
    family: Family, data: st.DataObject, pieces: list[int], *, whole: bool
) -> None:
    blocks = data.draw(family.says)
    why = data.draw(st.sampled_from(family.endings))
    body = (family.whole if whole else family.stream)(blocks, why)
    events = family.events(body, pieces, whole=whole)
    assert violations(events) == []
    told = family.read(body, stream=not whole)
    assert without_minted(read_telling(events[-1]["response"]), told) == told


@each_family
@thorough
@given(data=st.data(), whole=st.booleans())
def test_what_is_said_comes_back_verbatim_and_in_order(
    family: Family, data: st.DataObject, *, whole: bool
) -> None:
    blocks = data.draw(family.says)
    body = (family.whole if whole else family.stream)(blocks, family.ending)
    said = family.events(body, [], whole=whole)[-1]["response"]["output"]
    calls = [item for item in said if item["type"] == "function_call"]
    results = [
        {"type": "function_call_output", "call_id": call["call_id"], "output": "20"}
        for call in calls
    ]
    prepared = Prepared(family.dialect, family.call([*said, *results, USER]))
    assert prepared.rejected == []
    sent = json.loads(prepared.encode().body)
    assert history_in(sent) == history(blocks)


@thorough
@given(grounded=gemini_grounded(), pieces=PIECES)
def test_geminis_sources_are_told_by_characters(grounded: list[Json], pieces: list[int]) -> None:
    body = json.dumps(grounded).encode()
    events = FAMILIES["gemini"].events(body, pieces, whole=True)
    told = read_gemini(body, stream=False)
    assert read_telling(events[-1]["response"]) == told


def test_a_call_of_gemini_may_come_in_pieces_of_all_kinds() -> None:
    changes: list[Json] = [
        {"jsonPath": "$.city", "stringValue": "Ro", "willContinue": True},
        {"jsonPath": "$.city", "stringValue": "me"},
        {"jsonPath": "$.place.name", "stringValue": '"é"'},
        {"jsonPath": "$.place.near", "boolValue": True},
        {"jsonPath": "$.days[0]", "numberValue": 1},
        {"jsonPath": "$.days[1]", "numberValue": 2.5},
        {"jsonPath": "$.list[0].none", "nullValue": "NULL_VALUE"},
    ]
    calls: list[Json] = [
        {"name": "look_up", "willContinue": True},
        *({"partialArgs": [change], "willContinue": True} for change in changes),
        {},
    ]
    body = gemini_stream([{"functionCall": call} for call in calls], "STOP")
    response = FAMILIES["gemini"].events(body, [], whole=False)[-1]["response"]
    [call] = read_telling(response).calls
    assert call.arguments == {
        "city": "Rome",
        "place": {"name": '"é"', "near": True},
        "days": [1, 2.5],
        "list": [{"none": None}],
    }


STRANGE = {
    "claude": [
        claude_event("event_of_tomorrow", data={"a": [1]}),
        claude_event("content_block_start", index=7, content_block={"type": "text", "text": "A"}),
        claude_event("content_block_delta", index=7, delta={"type": "delta_of_tomorrow", "x": 1}),
        b": a comment\n\n",
    ],
    "gemini": [
        gemini_frame({"candidates": [{"content": {"parts": [{"text": "A"}]}, "tomorrow": {}}]}),
        gemini_frame({"tomorrow": [1]}),
        gemini_frame({"candidates": [{"content": {"parts": [{"partOfTomorrow": {}}]}}]}),
        gemini_frame({"candidates": [{"content": {}}]}),
    ],
    "bedrock": [
        bedrock_event("contentBlockDelta", contentBlockIndex=7, delta={"text": "A"}, p="abcd"),
        bedrock_event("eventOfTomorrow", data={"a": [1]}),
        bedrock_event("contentBlockDelta", contentBlockIndex=7, delta={"deltaOfTomorrow": {}}),
    ],
}
ENDINGS = {
    "claude": claude_stream([], "end_turn"),
    "gemini": gemini_stream([], "STOP"),
    "bedrock": bedrock_stream([], "end_turn"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_new_is_no_reason_to_fail(name: str) -> None:
    body = b"".join(STRANGE[name]) + ENDINGS[name]
    events = FAMILIES[name].events(body, [], whole=False)
    assert violations(events) == []
    told = read_telling(events[-1]["response"])
    assert (told.status, told.text) == ("completed", "A")
