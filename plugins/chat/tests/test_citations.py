"""What answers cite, in every form that vendors have for it. All answers here are invented."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.stream.lifecycle import violations

Chat = Callable[..., Any]
A, B = "https://a.test/", "https://b.test/"


def cited(outcome: Any) -> list[tuple[str, str, int, int]]:
    assert violations(outcome.events) == []
    return [
        (one.url, one.title, one.start_index, one.end_index)
        for message in outcome.items("message")
        for part in message.content
        if part.type == "output_text"
        for one in part.annotations
    ]


def annotation(url: str = A, start: int = 0, end: int = 3, **more: Any) -> dict[str, Any]:
    place = {"url": url, "title": "A", "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": place, **more}


def frames(*chunks: Any) -> list[bytes]:
    return [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]


def chunk(text: str, finish: str | None = None, **members: Any) -> Any:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}], **members}


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param([{"content": "Yes.", "annotations": [annotation()]}], id="with the text"),
        pytest.param([{"content": "Yes."}, {"annotations": [annotation()]}], id="after the text"),
        pytest.param([{"annotations": [annotation()]}, {"content": "Yes."}], id="before the text"),
        pytest.param(
            [{"content": text, "annotations": [annotation()]} for text in ("Y", "es.")],
            id="all of them each time",
        ),
        pytest.param(
            [{"content": "Yes."}, {"annotations": [annotation()["url_citation"]]}], id="flat"
        ),
        pytest.param(
            [{"content": "Yes."}, {"annotations": [annotation(), {"type": "file"}, {}]}],
            id="among others that are no web sources",
        ),
    ],
)
def test_an_annotation_is_told_wherever_it_comes(chat: Chat, deltas: list[dict[str, Any]]) -> None:
    outcome = chat(*deltas, "stop")
    assert cited(outcome) == [(A, "A", 0, 3)]
    assert [item.type for item in outcome.response.output] == ["message"]


def test_an_annotation_in_the_last_chunk_is_told(read: Chat) -> None:
    last = chunk("", "stop")
    last["choices"][0]["delta"]["annotations"] = [annotation()]
    assert cited(read(frames(chunk("Yes."), last))) == [(A, "A", 0, 3)]


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param([{"annotations": [annotation()]}], id="no text at all"),
        pytest.param([{"refusal": "No."}, {"annotations": [annotation()]}], id="a refusal"),
    ],
)
def test_an_annotation_without_text_makes_none(chat: Chat, deltas: list[dict[str, Any]]) -> None:
    outcome = chat(*deltas, {"refusal": "No."}, "stop")
    assert cited(outcome) == []
    assert [part.type for part in outcome.items("message")[0].content] == ["refusal"]


def test_offsets_do_not_count_what_is_no_text(chat: Chat) -> None:
    content = "<think>Hm.</think>\n\nYes."
    outcome = chat(
        {"content": content, "annotations": [annotation(start=20, end=23)]},
        "stop",
        think_tags="paired",
    )
    assert outcome.text == "Yes."
    assert cited(outcome) == [(A, "A", 0, 3)]


@pytest.mark.parametrize("when", ["first", "last", "always"])
def test_numbers_in_the_text_cite_the_listed_sources(read: Chat, when: str) -> None:
    listed: Any = {
        "citations": [A, B],
        "search_results": [{"url": B, "title": "Bee", "date": None}, {"url": None, "title": 3}],
    }
    first: Any = listed if when != "last" else {}
    last: Any = listed if when != "first" else {}
    outcome = read(
        frames(chunk("Ünï[2", **first), chunk("][1] [9] [0] []"), chunk(".", "stop", **last))
    )
    assert cited(outcome) == [(B, "Bee", 3, 6), (A, "", 6, 9)]


@pytest.mark.parametrize(
    "listed",
    [
        {"search_results": [{"url": A, "title": "A"}]},
        {"citations": [{"url": A, "title": "A"}]},
    ],
)
def test_sources_may_be_listed_with_their_titles_alone(read: Chat, listed: dict[str, Any]) -> None:
    assert cited(read(frames(chunk("Yes [1]", "stop", **listed)))) == [(A, "A", 4, 7)]


def test_a_list_of_sources_stands_until_there_is_another(read: Chat) -> None:
    results: Any = {"search_results": [{"url": B, "title": "Bee"}]}
    outcome = read(frames(chunk("Yes", citations=[A]), chunk(" [1]", "stop", **results)))
    assert cited(outcome) == [(A, "", 4, 7)]


def test_offsets_in_a_second_message_begin_with_it(chat: Chat) -> None:
    call = {"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}
    second = {"content": "Yes.", "annotations": [annotation(start=5, end=8)]}
    outcome = chat({"content": "Well:"}, {"tool_calls": [call]}, second, "stop")
    assert [item.type for item in outcome.response.output][2] == "message"
    assert cited(outcome) == [(A, "A", 0, 3)]


def test_sources_that_the_text_does_not_cite_are_not_told(read: Chat) -> None:
    assert cited(read(frames(chunk("Yes", "stop", citations=[A, B])))) == []


def test_numbers_mean_nothing_where_annotations_tell(read: Chat) -> None:
    last = chunk("", "stop", citations=[A])
    last["choices"][0]["delta"]["annotations"] = [annotation(url=B)]
    assert [one[0] for one in cited(read(frames(chunk("Yes[1]"), last)))] == [B]


def test_text_before_a_call_is_cited_before_it(read: Chat) -> None:
    call = {"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}
    begun = {"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    outcome = read(frames(chunk("See [1]", citations=[A]), begun))
    assert cited(outcome) == [(A, "", 4, 7)]
    assert [item.type for item in outcome.response.output] == ["message", "function_call"]


def test_a_reference_of_mistrals_own_tools_is_told_where_it_stands(chat: Chat) -> None:
    parts = [
        {"type": "text", "text": "Yes"},
        {"type": "tool_reference", "tool": "web_search", "title": "A", "url": A},
        {"type": "text", "text": "."},
    ]
    outcome = chat({"content": parts}, "stop")
    assert (outcome.text, cited(outcome)) == ("Yes.", [(A, "A", 3, 3)])


def test_a_reference_points_at_what_a_tool_has_found(chat: Chat) -> None:
    found = {"0": {"url": A, "title": "A", "snippets": [["x"]]}, "1": "not a source"}
    items = [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": msgspec.json.encode(found).decode(),
        },
    ]
    parts = [{"type": "text", "text": "Yes"}, {"type": "reference", "reference_ids": [0, 1, 7]}]
    outcome = chat({"content": parts}, "stop", request={"input": items})
    assert cited(outcome) == [(A, "A", 3, 3)]
