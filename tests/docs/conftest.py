"""The documents, taken apart: their code blocks, and the files that they show."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")))

_BLOCK = re.compile(
    r"^(?:\*\*`(?P<file>[^`]+)`\*\*\n\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)


class Block(Struct, frozen=True, kw_only=True):
    """A fenced block: `line` is where its text begins, `file` the bold path above it, if any."""

    document: Path
    line: int
    language: str
    text: str
    file: str | None = None

    @property
    def name(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(document: Path) -> list[Block]:
    text = document.read_text()
    return [
        Block(
            document=document,
            line=text.count("\n", 0, found.start("text")) + 1,
            language=found["language"],
            text=found["text"],
            file=found["file"],
        )
        for found in _BLOCK.finditer(text)
    ]


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], Path]:
    """Write the files that a document of `docs/` shows into a directory, and return it."""

    def write(document: str) -> Path:
        for block in blocks(ROOT / "docs" / document):
            if block.file:
                path = tmp_path / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text)
        return tmp_path

    return write
