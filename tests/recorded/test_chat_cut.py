"""Recorded Chat Completions streams that break off, after each line that they have."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from gateway.stream.lifecycle import violations
from gateway.testing import replay as play
from gateway.testing.replay import plain

from .account import read_response
from .reading import events_of, read_chat

if TYPE_CHECKING:
    from tests.conftest import RunGateway

    from .conftest import CallOf, Recording

API = "chat_completions"
SHARES = (0.1, 0.5, 0.9)
BLANK_LINE = re.compile(rb"\n\r?\n")
TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def line_ends(body: bytes) -> Iterator[int]:
    """Yield the offsets behind each line of `body`, and the one before the first."""
    yield 0
    for position, byte in enumerate(body):
        if byte == ord("\n"):
            yield position + 1


def endings(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return [event["type"] for event in events if event["type"] in TERMINAL]


def is_stream(recording: Recording) -> bool:
    return recording.good and recording.stream


def first(recording: Recording, share: float) -> bytes:
    """Return the first `share` of the frames of `recording`, at least one."""
    ends = [match.end() for match in BLANK_LINE.finditer(recording.body)]
    return recording.body[: ends[int(len(ends) * share)]]


ABOUT = {
    "test_a_stream_cut_after_any_line_ends_once_and_as_far_as_it_came": is_stream,
    "test_a_proxied_stream_that_is_cut_off_ends_as_far_as_it_came": is_stream,
    "test_a_proxied_answer_is_never_whole_when_its_stream_was_cut_off": is_stream,
}


@pytest.fixture(scope="module")
def broken_off(
    replay: str, run_gateway: RunGateway, everything: list[Recording]
) -> Generator[httpx2.Client]:
    """Return a client of a gateway whose upstreams close the connection in mid-stream."""
    models = [
        {
            "model_name": f"{recording.name} {share}",
            "params": {
                "model": f"{recording.provider.name}/{recording.model}",
                "base_url": f"{replay}/case/{recording.name}"
                f"!truncate={len(first(recording, share))}/v1",
                "api_key": "sk-invented",
                "retries": 0,
            },
        }
        for recording in everything
        if recording.meta["api"] == API and is_stream(recording)
        for share in SHARES
    ]
    with (
        run_gateway({"model_list": models}) as gateway,
        httpx2.Client(base_url=f"{gateway.url}/v1", timeout=30) as client,
    ):
        yield client


def test_a_stream_cut_after_any_line_ends_once_and_as_far_as_it_came(
    call_of: CallOf, recording: Recording
) -> None:
    dialect, call = call_of(recording)
    for end in line_ends(recording.body):
        cut = recording.body[:end]
        events = plain(play(dialect, call, [cut]))
        told = read_chat(cut, stream=True, think_tags=recording.think_tags)
        assert endings(events) == [f"response.{told.status}"], end
        assert violations(events) == [], end
        assert read_response(events[-1]["response"]).text == told.text, end


@pytest.mark.parametrize("share", SHARES)
def test_a_proxied_stream_that_is_cut_off_ends_as_far_as_it_came(
    broken_off: httpx2.Client, recording: Recording, share: float
) -> None:
    question = {"model": f"{recording.name} {share}", "input": "hello", "stream": True}
    answer = broken_off.post("/responses", json=question)
    told = read_chat(first(recording, share), stream=True, think_tags=recording.think_tags)
    if answer.status_code == 200:
        events = events_of(answer.content)
        assert violations(events) == []
        assert endings(events) == [f"response.{told.status}"]
        assert read_response(events[-1]["response"]).text == told.text
    else:  # nothing was said before it broke off
        assert (answer.status_code, told.order) == (502, ())


@pytest.mark.parametrize("share", SHARES)
def test_a_proxied_answer_is_never_whole_when_its_stream_was_cut_off(
    broken_off: httpx2.Client, recording: Recording, share: float
) -> None:
    question = {"model": f"{recording.name} {share}", "input": "hello"}
    answer = broken_off.post("/responses", json=question)
    told = read_chat(first(recording, share), stream=True, think_tags=recording.think_tags)
    if told.status == "failed":
        assert answer.status_code >= 400
        assert answer.json()["error"]["message"]
    else:
        assert answer.json()["status"] == told.status
