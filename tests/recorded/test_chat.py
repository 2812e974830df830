"""Every recorded Chat Completions answer comes out of a real proxy as a response."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from gateway.stream.lifecycle import violations
from gateway.testing import replay as play
from gateway.testing.replay import plain

from .account import Account, read_response, without_minted
from .reading import events_of, read_chat

if TYPE_CHECKING:
    from .conftest import CallOf, Proxied, Recording, Sdk

API = "chat_completions"
STATUS = {401: 502, 402: 429, 403: 502, 500: 502, 529: 503}  # where ours is another
ITS_OWN = {"id", "created_at", "completed_at"}  # each answer has these for itself

in_pieces = pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])


def recorded(recording: Recording) -> Account:
    return read_chat(recording.body, stream=recording.stream, think_tags=recording.think_tags)


def succeeds(recording: Recording) -> bool:
    return recording.good and recorded(recording).status != "failed"


def hides_failure(recording: Recording) -> bool:
    """Say whether an answer with a good status tells of an error, and of no other end."""
    return recording.good and recorded(recording).status == "failed"


def without_its_own(value: Any, *, call_ids: bool) -> Any:
    """Return `value` without what is new in each answer, and without `call_ids` if they are so."""
    gone = ITS_OWN | {"call_id"} if call_ids else ITS_OWN
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name not in gone}
        return {name: without_its_own(one, call_ids=call_ids) for name, one in kept.items()}
    if isinstance(value, list):
        return [without_its_own(one, call_ids=call_ids) for one in value]
    return value


def can_go_on(told: Account) -> bool:
    """Say whether a conversation can go on after what was `told`: all was said, in one message."""
    return told.status == "completed" and len(told.order) > 0 and told.order.count("message") < 2


ABOUT = {
    "test_a_completion_streams_by_the_rules": lambda one: one.good,
    "test_the_official_sdk_accepts_a_completion": succeeds,
    "test_a_streamed_completion_says_what_was_recorded": lambda one: one.good,
    "test_a_whole_completion_says_what_was_recorded": succeeds,
    "test_each_call_has_an_id_of_its_own": lambda one: len(recorded(one).calls) > 0,
    "test_a_whole_answer_is_the_stream_drained": succeeds,
    "test_the_row_for_everything_else_reads_it_too": lambda one: one.good and not one.think_tags,
    "test_what_was_said_can_be_said_again": lambda one: can_go_on(recorded(one)),
    "test_a_failure_behind_a_good_status_is_told": hides_failure,
    "test_the_official_sdk_raises_a_failure_behind_a_good_status": hides_failure,
    "test_a_refusal_is_told_in_openais_shape": lambda one: not one.good,
}


@in_pieces
def test_a_completion_streams_by_the_rules(
    proxied: Proxied, recording: Recording, *, pieces: bool
) -> None:
    answer = proxied.ask(recording, pieces=pieces, stream=True)
    assert answer.status_code == 200, answer.text
    assert violations(events_of(answer.content)) == []
    assert answer.content.endswith(b"\n\ndata: [DONE]\n\n")


@in_pieces
def test_the_official_sdk_accepts_a_completion(
    proxied: Proxied, sdk: Sdk, recording: Recording, *, pieces: bool
) -> None:
    answer = proxied.ask(recording, pieces=pieces, stream=True)
    types, final = sdk.read(answer.content)
    told = recorded(recording)
    assert types[-1] == f"response.{told.status}"
    if final is not None:
        assert without_minted(read_response(final), told) == told


@in_pieces
def test_a_streamed_completion_says_what_was_recorded(
    proxied: Proxied, recording: Recording, *, pieces: bool
) -> None:
    answer = proxied.ask(recording, pieces=pieces, stream=True)
    told = recorded(recording)
    made = read_response(events_of(answer.content)[-1]["response"])
    assert without_minted(made, told) == told


@in_pieces
def test_a_whole_completion_says_what_was_recorded(
    proxied: Proxied, recording: Recording, *, pieces: bool
) -> None:
    answer = proxied.ask(recording, pieces=pieces)
    assert answer.status_code == 200, answer.text
    told = recorded(recording)
    assert without_minted(read_response(answer.json()), told) == told


def test_each_call_has_an_id_of_its_own(proxied: Proxied, recording: Recording) -> None:
    output = proxied.ask(recording).json()["output"]
    calls = [item for item in output if item["type"].endswith("_call")]
    assert all(item["call_id"] and item["id"] for item in calls)
    assert len({item["call_id"] for item in calls}) == len(calls)
    assert len({item["id"] for item in output}) == len(output)


@in_pieces
def test_a_whole_answer_is_the_stream_drained(
    proxied: Proxied, recording: Recording, *, pieces: bool
) -> None:
    streamed = proxied.ask(recording, stream=True).content
    whole = proxied.ask(recording, pieces=pieces).json()
    minted = not all(call.id for call in recorded(recording).calls)
    final = events_of(streamed)[-1]["response"] | {"model": whole["model"]}
    assert without_its_own(whole, call_ids=minted) == without_its_own(final, call_ids=minted)


def test_the_row_for_everything_else_reads_it_too(call_of: CallOf, recording: Recording) -> None:
    dialect, call = call_of(recording, "openai_compatible")
    events = plain(play(dialect, call, [recording.body], whole=not recording.stream))
    told = recorded(recording)
    assert violations(events) == []
    assert without_minted(read_response(events[-1]["response"]), told) == told


def test_what_was_said_can_be_said_again(proxied: Proxied, recording: Recording) -> None:
    told = recorded(recording)
    output = proxied.ask(recording).json()["output"]
    calls = [item for item in output if item["type"].endswith("_call")]
    results = [
        {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": item["name"]}
        for item in calls
    ]
    user = {"role": "user", "content": "Go on."}
    proxied.forget()
    answer = proxied.ask(recording, input=[user, *output, *results, user])
    assert answer.status_code == 200, answer.text
    [reached] = proxied.reached(recording)
    first, said, *others, last = reached["body"]["messages"]
    tools = [one for one in others if one["role"] == "tool"]
    assert [first["role"], said["role"], last["role"]] == ["user", "assistant", "user"]
    again = read_chat(json.dumps({"choices": [{"message": said}]}).encode(), stream=False)
    assert again.text == told.text
    assert again.refusal == told.refusal
    # Null is how some models call a function without arguments, and no vendor wants it back.
    spoken = [(call.name, {} if call.arguments is None else call.arguments) for call in told.calls]
    assert [(call.name, call.arguments) for call in again.calls] == spoken
    assert [(tool["tool_call_id"], tool["content"]) for tool in tools] == [
        (call.id, call.name) for call in again.calls
    ]


def test_the_official_sdk_raises_a_failure_behind_a_good_status(
    proxied: Proxied, sdk: Sdk, recording: Recording
) -> None:
    answer = proxied.ask(recording, stream=True)
    with pytest.raises(openai.APIError):
        sdk.read(answer.content)


def test_a_failure_behind_a_good_status_is_told(proxied: Proxied, recording: Recording) -> None:
    events = events_of(proxied.ask(recording, stream=True).content)
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    whole = proxied.ask(recording)
    assert whole.status_code >= 400
    assert whole.json()["error"]["message"] == events[-2]["message"]


def test_a_refusal_is_told_in_openais_shape(proxied: Proxied, recording: Recording) -> None:
    for stream in (True, False):
        answer = proxied.ask(recording, stream=stream)
        status = recording.meta["status"]
        assert answer.status_code == STATUS.get(status, status)
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]


def test_the_recordings_are_here(everything: list[Recording]) -> None:
    assert len([one for one in everything if one.meta["api"] == API]) >= 90
