"""docs/architecture.md names every package of the gateway, and no file that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text()


def test_every_package_is_on_the_map() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", DOCUMENT, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"\w+", row)}
    packages = {path.parent.name for path in ROOT.glob("gateway/*/__init__.py")}
    modules = {path.stem for path in ROOT.glob("gateway/[!_]*.py")}
    assert packages | modules <= named


def test_every_path_on_the_map_exists() -> None:
    paths = re.findall(r"`((?:[\w-]+/)+[\w.-]*)`", DOCUMENT)
    assert paths
    assert [
        path for path in paths if not any(_exists(path, home) for home in ("", "gateway"))
    ] == []


def _exists(path: str, home: str) -> bool:
    return (ROOT / home / path).exists()
