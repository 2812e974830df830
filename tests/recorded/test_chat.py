"""Every recorded Chat Completions answer comes out of a real proxy as a response."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from gateway.stream.lifecycle import violations

if TYPE_CHECKING:
    from .conftest import Proxied, Recording, Sdk

API = "chat_completions"
STATUS = {400: 400, 401: 502, 404: 404, 429: 429, 500: 502}
MINTED = {"id", "call_id", "created_at", "completed_at"}


def events_of(body: bytes) -> list[dict[str, Any]]:
    lines = body.decode().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def chunks_of(recording: Recording) -> list[dict[str, Any]]:
    if not recording.stream:
        return [json.loads(recording.body)]
    lines = recording.body.decode().splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def hides_failure(recording: Recording) -> bool:
    """Say whether an answer with a good status tells of an error, and of no other end."""
    if not recording.good:
        return False
    chunks = chunks_of(recording)
    choices = [choice for chunk in chunks for choice in chunk.get("choices") or ()]
    finished = any(choice.get("finish_reason") for choice in choices)
    return not finished and any(chunk.get("error") for chunk in chunks)


def succeeds(recording: Recording) -> bool:
    return recording.good and not hides_failure(recording)


def texts_of(recording: Recording) -> Iterator[str]:
    """Read the text of the first choice, as simply as can be."""
    for chunk in chunks_of(recording):
        for choice in chunk.get("choices") or ():
            if choice["index"] == 0:
                said = choice.get("delta" if recording.stream else "message") or {}
                content = said.get("content") or ""
                parts = content if isinstance(content, list) else [{"text": content}]
                yield "".join(part.get("text", "") for part in parts)


def text_of(response: dict[str, Any]) -> str:
    messages = [item for item in response["output"] if item["type"] == "message"]
    parts = [part for message in messages for part in message["content"]]
    return "".join(part["text"] for part in parts if part["type"] == "output_text")


def without_minted(value: Any) -> Any:
    """Return `value` without the ids and times that each answer has of its own."""
    if isinstance(value, dict):
        return {name: without_minted(one) for name, one in value.items() if name not in MINTED}
    return [without_minted(one) for one in value] if isinstance(value, list) else value


ABOUT = {
    "test_a_completion_streams_by_the_rules": lambda one: one.good,
    "test_the_official_sdk_accepts_a_completion": succeeds,
    "test_a_completion_says_what_was_recorded": succeeds,
    "test_a_whole_answer_is_the_stream_drained": succeeds,
    "test_a_failure_behind_a_good_status_is_told": hides_failure,
    "test_a_refusal_is_told_in_openais_shape": lambda one: not one.good,
}


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "7 bytes"])
def test_a_completion_streams_by_the_rules(
    proxied: Proxied, recording: Recording, *, pieces: bool
) -> None:
    model = f"{recording.name} in pieces" if pieces else recording.name
    answer = proxied.ask(recording, stream=True, model=model)
    assert answer.status_code == 200, answer.text
    assert violations(events_of(answer.content)) == []
    assert answer.content.endswith(b"\n\ndata: [DONE]\n\n")


def test_the_official_sdk_accepts_a_completion(
    proxied: Proxied, sdk: Sdk, recording: Recording
) -> None:
    answer = proxied.ask(recording, stream=True)
    types, final = sdk.read(answer.content)
    if types[-1] == "response.completed":
        assert final is not None
        assert final["model"] == recording.name


def test_a_completion_says_what_was_recorded(proxied: Proxied, recording: Recording) -> None:
    answer = proxied.ask(recording, stream=True)
    assert text_of(events_of(answer.content)[-1]["response"]) == "".join(texts_of(recording))


def test_a_whole_answer_is_the_stream_drained(proxied: Proxied, recording: Recording) -> None:
    streamed = events_of(proxied.ask(recording, stream=True).content)[-1]["response"]
    whole = proxied.ask(recording)
    assert whole.status_code == 200, whole.text
    assert without_minted(whole.json()) == without_minted(streamed)


def test_a_failure_behind_a_good_status_is_told(proxied: Proxied, recording: Recording) -> None:
    events = events_of(proxied.ask(recording, stream=True).content)
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    whole = proxied.ask(recording)
    assert whole.status_code >= 400
    assert whole.json()["error"]["message"] == events[-2]["message"]


def test_a_refusal_is_told_in_openais_shape(proxied: Proxied, recording: Recording) -> None:
    for stream in (True, False):
        answer = proxied.ask(recording, stream=stream)
        assert answer.status_code == STATUS[recording.meta["status"]]
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]


def test_all_ninety_recordings_are_here(everything: list[Recording]) -> None:
    assert len([one for one in everything if one.meta["api"] == API]) == 90
