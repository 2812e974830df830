"""Every recorded answer of Claude, of Gemini and on Bedrock comes out of a real proxy as a
response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from gateway.stream.lifecycle import violations
from tests.vendors.judging import judge

from .conftest import BEGINNINGS, FAMILIES, recordings
from .families import ends, recorded, request_for
from .reading import events_of
from .telling import read_telling, without_minted

if TYPE_CHECKING:
    import httpx2

    from .conftest import Proxied, Recording, Sdk

API = tuple(FAMILIES)
STATUS = {401: 502, 403: 502}  # where ours is another
ITS_OWN = {"id", "created_at", "completed_at", "encrypted_content", "model"}
PLACES = {
    "anthropic": "/v1/messages?",
    "gemini": "/models/{}:streamGenerateContent?alt=sse",
    "bedrock": "/model/{}/converse-stream?",
}

in_pieces = pytest.mark.parametrize("pieces", [False, True], ids=["whole", "in pieces"])


def succeeds(recording: Recording) -> bool:
    return ends(recording) and recorded(recording).status != "failed"


def fails(recording: Recording) -> bool:
    """Say whether an answer with a good status tells of a failure."""
    return ends(recording) and recorded(recording).status == "failed"


ABOUT = {
    "test_an_answer_streams_by_the_rules": ends,
    "test_the_official_sdk_accepts_an_answer": succeeds,
    "test_a_streamed_answer_says_what_was_recorded": succeeds,
    "test_a_whole_answer_says_what_was_recorded": succeeds,
    "test_a_whole_answer_is_the_stream_drained": succeeds,
    "test_each_item_has_an_id_of_its_own": succeeds,
    "test_the_vendor_is_asked_where_it_listens": ends,
    "test_a_failure_behind_a_good_status_is_told": fails,
    "test_a_refusal_is_told_in_openais_shape": lambda one: not one.good,
}


def ask(
    families: Proxied, recording: Recording, *, pieces: bool = False, stream: bool = False
) -> httpx2.Response:
    """Ask for what was recorded, with the tools that the answer uses."""
    request = request_for(recorded(recording)) if recording.good else {}
    return families.ask(recording, pieces=pieces, stream=stream, **request)


def without_its_own(value: Any, *, call_ids: bool) -> Any:
    """Return `value` without what is new in each answer, and without `call_ids` if they are so."""
    gone = ITS_OWN | {"call_id"} if call_ids else ITS_OWN
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name not in gone}
        return {name: without_its_own(one, call_ids=call_ids) for name, one in kept.items()}
    if isinstance(value, list):
        return [without_its_own(one, call_ids=call_ids) for one in value]
    return value


@in_pieces
def test_an_answer_streams_by_the_rules(
    families: Proxied, recording: Recording, *, pieces: bool
) -> None:
    answer = ask(families, recording, pieces=pieces, stream=True)
    if answer.status_code == 200:
        assert violations(events_of(answer.content)) == []
        assert answer.content.endswith(b"\n\ndata: [DONE]\n\n")
    else:  # nothing was said before it failed
        assert fails(recording), answer.text


@in_pieces
def test_the_official_sdk_accepts_an_answer(
    families: Proxied, sdk: Sdk, recording: Recording, *, pieces: bool
) -> None:
    answer = ask(families, recording, pieces=pieces, stream=True)
    types, final = sdk.read(answer.content)
    told = recorded(recording)
    assert types[-1] == f"response.{told.status}"
    if final is not None:
        assert without_minted(read_telling(final), told) == told


@in_pieces
def test_a_streamed_answer_says_what_was_recorded(
    families: Proxied, recording: Recording, *, pieces: bool
) -> None:
    answer = ask(families, recording, pieces=pieces, stream=True)
    assert answer.status_code == 200, answer.text
    told = recorded(recording)
    made = read_telling(events_of(answer.content)[-1]["response"])
    assert without_minted(made, told) == told


@in_pieces
def test_a_whole_answer_says_what_was_recorded(
    families: Proxied, recording: Recording, *, pieces: bool
) -> None:
    answer = ask(families, recording, pieces=pieces)
    assert answer.status_code == 200, answer.text
    told = recorded(recording)
    assert without_minted(read_telling(answer.json()), told) == told


@in_pieces
def test_a_whole_answer_is_the_stream_drained(
    families: Proxied, recording: Recording, *, pieces: bool
) -> None:
    streamed = ask(families, recording, stream=True).content
    whole = ask(families, recording, pieces=pieces).json()
    minted = not all(call.id for call in recorded(recording).calls)
    final = events_of(streamed)[-1]["response"]
    assert without_its_own(whole, call_ids=minted) == without_its_own(final, call_ids=minted)


def test_each_item_has_an_id_of_its_own(families: Proxied, recording: Recording) -> None:
    output = ask(families, recording).json()["output"]
    call_ids = [item["call_id"] for item in output if item["type"] == "function_call"]
    assert all(call_ids)
    assert len(set(call_ids)) == len(call_ids)
    ids = [item["id"] for item in output if item.get("id")]
    assert len(set(ids)) == len(ids)


def test_the_vendor_is_asked_where_it_listens(families: Proxied, recording: Recording) -> None:
    families.forget()
    ask(families, recording)
    [reached] = families.reached(recording)
    place = BEGINNINGS[recording.provider.name] + PLACES[FAMILIES[recording.meta["api"]]]
    address = place.format(quote(recording.model, safe=""))
    assert reached["path"] + "?" + reached["query"] == address
    judge(address, reached["body"])


def test_a_failure_behind_a_good_status_is_told(families: Proxied, recording: Recording) -> None:
    streamed = ask(families, recording, stream=True)
    if streamed.status_code == 200:
        *_, error, failed = events_of(streamed.content)
        assert (error["type"], failed["type"]) == ("error", "response.failed")
    else:  # nothing was said before it failed
        assert streamed.status_code >= 500
    whole = ask(families, recording)
    assert whole.status_code >= 500
    assert whole.json()["error"]["message"]


def test_a_refusal_is_told_in_openais_shape(families: Proxied, recording: Recording) -> None:
    for stream in (True, False):
        answer = ask(families, recording, stream=stream)
        status = recording.meta["status"]
        assert answer.status_code == STATUS.get(status, status)
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]


def test_the_recordings_are_here() -> None:
    here = list(recordings(FAMILIES)) or pytest.skip("the corpus is not next to this checkout")
    assert len(here) == 102
