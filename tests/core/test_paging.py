"""Reading which page of a list is wanted."""

from __future__ import annotations

import pytest

from gateway.core.paging import read_page
from gateway.errors import InvalidRequestError
from gateway.plugin.store import Page


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", Page(limit=20, order="desc", after="")),
        ("limit=1", Page(limit=1)),
        ("limit=100&order=asc&after=msg_1", Page(limit=100, order="asc", after="msg_1")),
        ("include%5B%5D=message.output_text.logprobs&order=desc", Page()),
        ("after=", Page()),
        ("after=msg_%3D", Page(after="msg_=")),
        ("limit=5&limit=7", Page(limit=7)),
    ],
)
def test_a_query_names_a_page(query: str, page: Page) -> None:
    assert read_page(query) == page


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=many", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("order=up", "order"),
        ("order=", "order"),
    ],
)
def test_a_page_that_cannot_be_is_refused(query: str, param: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{param} must be") as refused:
        read_page(query)
    assert refused.value.param == param
