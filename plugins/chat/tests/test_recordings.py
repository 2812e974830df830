"""Every recorded Chat Completions answer, against a second and simpler reading of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.errors import (
    UpstreamAuthenticationError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from gateway.plugin import Failure
from gateway.stream.lifecycle import violations
from gateway_chat import ChatDialect

CASES = Path(__file__).parents[3] / "../shared/corpus/cases"
STATUS = {"length": "incomplete", "content_filter": "incomplete"}
CALL_FIELDS = ("name", "arguments")
ERRORS: dict[int, type[UpstreamError]] = {
    400: UpstreamRejectedError,
    401: UpstreamAuthenticationError,
    404: UpstreamRejectedError,
    429: UpstreamRateLimitError,
    500: UpstreamUnavailableError,
}


class Case(NamedTuple):
    name: str
    meta: dict[str, Any]
    body: bytes


def cases(*, error: bool) -> list[Any]:
    found: list[Case] = []
    for path in sorted(CASES.glob("*/*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"] == "chat_completions" and (meta["status"] >= 400) == error:
            body = (path.parent / "response.body").read_bytes()
            found.append(Case(path.parent.name, meta, body))
    skipped = pytest.mark.skip(reason="the corpus of recordings is not on this machine")
    return [pytest.param(case, id=case.name) for case in found] or [
        pytest.param(None, marks=skipped)
    ]


def streams() -> list[Any]:
    return [case for case in cases(error=False) if not case.values[0] or is_stream(case.values[0])]


def is_stream(case: Case) -> bool:
    return case.meta["stream"]


def chunks_of(case: Case) -> list[dict[str, Any]]:
    if not is_stream(case):
        return [json.loads(case.body)]
    lines = case.body.decode().splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def messages_of(case: Case) -> list[dict[str, Any]]:
    """What the first choice says, piece by piece: of a whole answer there is one piece."""
    place = "delta" if is_stream(case) else "message"
    choices = [choice for chunk in chunks_of(case) for choice in chunk.get("choices") or []]
    return [choice.get(place) or {} for choice in choices if choice["index"] == 0]


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or (message.get("audio") or {}).get("transcript") or ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def thought_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        thoughts = [part["thinking"] for part in content if part["type"] == "thinking"]
        return "".join(text["text"] for thought in thoughts for text in thought)
    return message.get("reasoning_content") or message.get("reasoning") or ""


def calls_of(case: Case) -> list[tuple[str, Any]]:
    found: dict[Any, dict[str, str]] = {}
    for message in messages_of(case):
        pieces = [call for call in message.get("tool_calls") or [] if call.get("function")]
        if message.get("function_call"):
            pieces.append({"function": message["function_call"]})
        for piece in pieces:
            call = found.setdefault(
                piece.get("index", piece.get("id")), dict.fromkeys(CALL_FIELDS, "")
            )
            for field in CALL_FIELDS:
                call[field] += piece["function"].get(field) or ""
    return [(call["name"], call["arguments"]) for call in found.values()]


def usage_of(case: Case) -> tuple[int, int]:
    reported = [
        usage
        for chunk in chunks_of(case)
        if (usage := chunk.get("usage") or chunk.get("x_groq", {}).get("usage"))
    ]
    if not reported:
        return 0, 0
    sent = reported[-1]["prompt_tokens"]
    return sent, reported[-1]["total_tokens"] - sent


@pytest.mark.parametrize("case", cases(error=False))
def test_a_recorded_answer_is_read_as_it_stands(case: Case, read: Callable[..., Any]) -> None:
    outcome = read([case.body], whole=not is_stream(case))
    assert violations(outcome.events) == []
    assert outcome.text == "".join(map(text_of, messages_of(case)))
    calls = outcome.items("function_call")
    assert [(call.name, call.arguments) for call in calls] == calls_of(case)
    thoughts = outcome.items("reasoning")
    parts = [part.text for item in thoughts for part in (*(item.content or ()), *item.summary)]
    assert "".join(parts) == "".join(map(thought_of, messages_of(case)))


@pytest.mark.parametrize("case", cases(error=False))
def test_a_recorded_answer_ends_as_its_finish_reason_says(
    case: Case, read: Callable[..., Any]
) -> None:
    outcome = read([case.body], whole=not is_stream(case))
    broken = any(chunk.get("error") for chunk in chunks_of(case))
    reasons = [
        choice["finish_reason"]
        for chunk in chunks_of(case)
        for choice in chunk.get("choices") or []
        if choice.get("finish_reason")
    ]
    expected = STATUS.get(reasons[0], "completed") if reasons else "failed"
    assert outcome.response.status == expected
    assert (outcome.error is not None) == (broken and not reasons)


@pytest.mark.parametrize("case", cases(error=False))
def test_the_usage_of_a_recorded_answer_adds_up(case: Case, read: Callable[..., Any]) -> None:
    usage = read([case.body], whole=not is_stream(case)).response.usage
    assert (usage.input_tokens, usage.output_tokens) == usage_of(case)
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


@pytest.mark.parametrize("case", streams())
def test_the_pieces_of_the_network_change_nothing(case: Case, read: Callable[..., Any]) -> None:
    pieces = [case.body[start : start + 7] for start in range(0, len(case.body), 7)]
    assert read(pieces).events == read([case.body]).events


@pytest.mark.parametrize("case", streams())
def test_a_recorded_stream_cut_anywhere_ends_well(case: Case, read: Callable[..., Any]) -> None:
    lines = case.body.splitlines(keepends=True)
    for end in range(0, len(lines), max(1, len(lines) // 12)):
        outcome = read(lines[:end])
        assert violations(outcome.events) == []
        assert outcome.response.status in {"completed", "incomplete", "failed"}


@pytest.mark.parametrize("case", cases(error=True))
def test_a_recorded_error_is_told_by_its_status(case: Case) -> None:
    status = case.meta["status"]
    error = ChatDialect().error(Failure(status=status, body=case.body))
    assert type(error) is ERRORS[status]
    assert error.message


def test_all_ninety_recordings_are_here() -> None:
    if not CASES.exists():
        pytest.skip("the corpus of recordings is not on this machine")
    assert len(cases(error=False)) + len(cases(error=True)) == 90
