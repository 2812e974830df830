"""A pytest plugin: the option that lets the conformance kit write what a corpus expects.

Name it in the `conftest.py` at the root of your tests:

    pytest_plugins = ("gateway.testing.corpus_option",)
"""

import pytest

__all__ = ["UPDATE_CORPUS", "pytest_addoption"]

UPDATE_CORPUS = "--update-corpus"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        UPDATE_CORPUS,
        action="store_true",
        help="write events.jsonl of each conformance case anew; read what has changed",
    )
