"""Citations become annotations of the text that they are about; all of it is invented."""

from collections.abc import Callable
from typing import Any

import pytest

BEFORE = {"type": "text", "text": "Grüße 👋, "}


def cited(*citations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": "it is cold", "citations": list(citations)}


def annotations(outcome: Any) -> tuple[Any, ...]:
    (message,) = outcome.items("message")
    return message.content[0].annotations


def test_an_address_is_cited_for_the_characters_of_its_block(answer: Callable[..., Any]) -> None:
    found = {"type": "web_search_result_location", "url": "https://a.example", "title": "A"}
    given = {"type": "search_result_location", "source": "https://b.example", "title": None}
    outcome = answer(BEFORE, cited(found, given), BEFORE)
    first, second = annotations(outcome)
    assert (first.url, first.title) == ("https://a.example", "A")
    assert (second.url, second.title) == ("https://b.example", "")
    text = outcome.response.output_text
    assert {text[one.start_index : one.end_index] for one in (first, second)} == {"it is cold"}


@pytest.mark.parametrize("kind", ["char_location", "page_location", "content_block_location"])
def test_a_file_is_cited_at_the_end_of_the_block(answer: Callable[..., Any], kind: str) -> None:
    place = {"type": kind, "file_id": "file_1", "document_title": "a.pdf"}
    (citation,) = annotations(answer(BEFORE, cited(place)))
    assert (citation.file_id, citation.filename, citation.index) == ("file_1", "a.pdf", 19)


def test_what_has_neither_address_nor_id_cannot_be_cited(answer: Callable[..., Any]) -> None:
    nowhere = {"type": "page_location", "document_title": "a.pdf"}
    elsewhere = {"type": "search_result_location", "source": "shelf 7"}
    assert annotations(answer(cited(nowhere, elsewhere))) == ()


def test_each_message_is_counted_from_its_own_beginning(answer: Callable[..., Any]) -> None:
    found = {"type": "web_search_result_location", "url": "https://a.example"}
    outcome = answer(BEFORE, {"type": "redacted_thinking", "data": "aGlkZGVu"}, cited(found))
    (citation,) = outcome.items("message")[1].content[0].annotations
    assert (citation.start_index, citation.end_index) == (0, 10)
