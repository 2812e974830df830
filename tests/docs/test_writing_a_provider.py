"""docs/writing-a-provider.md shows the files of gateway-acme, and a row that is a provider.

Run as a program, this module writes the files into the document anew.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway.config import ModelEntry, Secret, default_config
from gateway.core.engine import Engine
from gateway.core.exchange import Envelope, Whole
from gateway.core.principal import Principal
from gateway.plugin.manager import Plugins
from gateway.testing import CountedIds, ScriptedUpstream, event_stream
from gateway.types.response import decode_response

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "writing-a-provider.md"
ACME = ROOT / "tests" / "third_party" / "gateway-acme"
SHOWN = re.compile(r"(?P<head>^\*\*`(?P<file>[^`]+)`\*\*\n\n```\w*\n).*?(?=^```$)", re.M | re.S)

BETA_ANSWER = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}\n\n'
    b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


def embedded(found: re.Match[str]) -> str:
    """Return the block with the file's text, if it shows a file of gateway-acme."""
    path = ACME / found["file"]
    return found["head"] + path.read_text() if path.exists() else found[0]


def lines_of_code(path: Path) -> int:
    return sum(1 for line in path.read_text().splitlines() if line.strip())


def test_the_document_shows_the_files_as_they_are() -> None:
    text = DOCUMENT.read_text()
    assert SHOWN.sub(embedded, text) == text


def test_the_document_shows_every_file_but_what_is_more_of_the_same() -> None:
    files = {path.relative_to(ACME).as_posix() for path in ACME.rglob("*") if path.is_file()}
    more = re.compile(r".*/(events\.jsonl|__pycache__/.*)|tests/corpus/(?!weather/).*")
    shown = {found["file"] for found in SHOWN.finditer(DOCUMENT.read_text())}
    assert shown - {"gateway_beta/__init__.py"} == {name for name in files if not more.match(name)}


def test_a_dialect_takes_less_than_150_lines_and_its_conformance_four() -> None:
    code = ACME / "gateway_acme"
    assert lines_of_code(code / "dialect.py") + lines_of_code(code / "stream.py") < 150
    suite = (ACME / "tests" / "test_conformance.py").read_text()
    assert len(suite[suite.index("class ") :].splitlines()) <= 4


@pytest.fixture
def beta(files: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The plugin that the document shows as one row."""
    monkeypatch.syspath_prepend(files("writing-a-provider.md"))
    yield importlib.import_module("gateway_beta")
    del sys.modules["gateway_beta"]


async def test_the_row_is_a_provider(beta: object, tmp_path: Path) -> None:
    question = {"model": "beta/large", "input": "Hi", "max_output_tokens": 5}
    envelope = Envelope(operation="create", request_id="test", body=msgspec.json.encode(question))
    async with ScriptedUpstream(event_stream(BETA_ANSWER)) as upstream:
        entry = ModelEntry(
            name="beta/large", model="beta/large", base_url=upstream.url, api_key=Secret("the-key")
        )
        config = replace(default_config({"GATEWAY_HOME": str(tmp_path)}), models=(entry,))
        async with Engine(config, Plugins(extra=[beta]), ids=CountedIds()) as engine:
            reply = await engine.respond(envelope, Principal())
    assert isinstance(reply, Whole)
    assert decode_response(reply.body).output_text == "Hello"
    assert upstream.requests[0].headers["authorization"] == "Bearer the-key"
    assert upstream.requests[0].json()["max_completion_tokens"] == 5


if __name__ == "__main__":
    DOCUMENT.write_text(SHOWN.sub(embedded, DOCUMENT.read_text()))
