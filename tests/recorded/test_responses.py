"""Every recorded Responses exchange passes through a real proxy, but for ids and the alias."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Proxied, Recording, Sdk

API = "responses"
ABOUT = {
    "test_a_stream_passes_frame_by_frame": lambda one: one.stream,
    "test_the_official_sdk_accepts_what_it_accepts_without_us": lambda one: one.stream,
    "test_a_whole_answer_passes": lambda one: one.good and not one.stream,
    "test_a_refusal_passes": lambda one: not one.good,
    "test_what_was_sent_reaches_the_upstream": lambda one: one.request is not None,
}
# One tells of an error, which the SDK raises; the other has deltas of a part that it never added.
UNACCEPTABLE = {
    "openai-resp-stream-stream-rate-limited-1-0",
    "bedrock-resp-stream-providers-bedrock-mantle-responses-chat-streams-through-the-resp-0",
}
LIFECYCLE = {"created", "queued", "in_progress", "completed", "failed", "incomplete"}
FRAME = re.compile(rb".+?(?:\r?\n){2}|.+", re.DOTALL)
DATA = re.compile(rb"^data: ?(.*?)\r?$", re.MULTILINE)


class Names:
    """What must become of the names in a recorded answer."""

    def __init__(self, proxied: Proxied, recording: Recording, *, pieces: bool) -> None:
        self._proxied = proxied
        self._recording = recording
        self._pieces = pieces

    def expected(self, response: dict[str, Any]) -> dict[str, Any]:
        alias = f"{self._recording.name} in pieces" if self._pieces else self._recording.name
        changed = {"id": self._sealed(response["id"])}
        if response.get("model") is not None:
            changed["model"] = alias
        if response.get("previous_response_id"):
            changed["previous_response_id"] = self._sealed(response["previous_response_id"])
        return response | changed

    def _sealed(self, upstream_id: str) -> str:
        return self._proxied.sealed(self._recording, upstream_id, pieces=self._pieces)


def event_of(frame: bytes) -> dict[str, Any]:
    found = DATA.search(frame)
    if found is None or found[1] == b"[DONE]":
        return {"type": "none"}
    return json.loads(found[1])


def others(frame: bytes) -> list[bytes]:
    return [line for line in frame.splitlines(keepends=True) if not line.startswith(b"data:")]


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])
def test_a_stream_passes_frame_by_frame(
    proxied: Proxied, recording: Recording, *, pieces: bool
) -> None:
    answer = proxied.send(recording, pieces=pieces)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    names = Names(proxied, recording, pieces=pieces)
    for before, after in zip(
        FRAME.findall(recording.body), FRAME.findall(answer.content), strict=True
    ):
        event = event_of(before)
        if event["type"].removeprefix("response.") not in LIFECYCLE:
            assert after == before
            continue
        assert others(after) == others(before)
        assert event_of(after) == event | {"response": names.expected(event["response"])}


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])
def test_a_whole_answer_passes(proxied: Proxied, recording: Recording, *, pieces: bool) -> None:
    answer = proxied.send(recording, pieces=pieces)
    assert answer.status_code == 200, answer.text
    names = Names(proxied, recording, pieces=pieces)
    assert answer.json() == names.expected(json.loads(recording.body))
    for name in ("openai-processing-ms", "openai-version", "x-request-id"):
        if name in recording.meta["response_headers"]:
            assert answer.headers[name] == recording.meta["response_headers"][name]


def test_a_refusal_passes(proxied: Proxied, recording: Recording) -> None:
    answer = proxied.send(recording)
    if recording.meta["status"] == 401:  # of the gateway's key, not the client's
        assert answer.status_code == 502
        assert answer.json()["error"]["code"] == "upstream_authentication_error"
    else:
        assert answer.status_code == recording.meta["status"]
        assert answer.content == recording.body


def test_what_was_sent_reaches_the_upstream(proxied: Proxied, recording: Recording) -> None:
    proxied.forget()
    proxied.send(recording)
    [reached] = proxied.reached(recording)
    named = {"model": recording.model}  # a stored prompt may name the model, but not for us
    assert reached["body"] == {**named, **(recording.request or {})}
    assert reached["headers"]["content-type"] == "application/json"


# The SDK's types lag behind what its own helper is sent here: a source of the type `api`.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
def test_the_official_sdk_accepts_what_it_accepts_without_us(
    proxied: Proxied, sdk: Sdk, recording: Recording
) -> None:
    answer = proxied.send(recording)
    assert sdk.accepts(answer.content) == sdk.accepts(recording.body)
    if recording.name in UNACCEPTABLE:
        return
    types, final = sdk.read(answer.content)
    their_types, theirs = sdk.read(recording.body)
    assert types == their_types
    if theirs is not None:
        assert final == Names(proxied, recording, pieces=False).expected(theirs)


def test_all_seventy_recordings_are_here(everything: list[Recording]) -> None:
    assert len([one for one in everything if one.meta["api"] == API]) == 70
