"""The recorded Responses traffic, where the checkout has it."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

CORPUS = Path(__file__).parents[2] / "../shared/corpus/cases"


class Recording(Struct, frozen=True, kw_only=True):
    """One recorded exchange: the request (None when it was not kept) and the answer's bodies."""

    name: str
    request: bytes | None
    answers: tuple[bytes, ...]
    stream: bool
    status: int


def _answers(body: bytes, *, stream: bool) -> tuple[bytes, ...]:
    if not stream:
        return (body,)
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
    return tuple(line for line in lines if line != b"[DONE]")


def _recording(meta: dict[str, Any], folder: Path) -> Recording:
    request = folder / "request.json"
    return Recording(
        name=folder.name,
        request=request.read_bytes() if request.exists() else None,
        answers=_answers((folder / "response.body").read_bytes(), stream=meta["stream"]),
        stream=meta["stream"],
        status=meta["status"],
    )


@pytest.fixture(scope="session")
def recordings() -> tuple[Recording, ...]:
    if not CORPUS.is_dir():
        pytest.skip("the recorded traffic is not next to this checkout")
    metas = {path.parent: json.loads(path.read_bytes()) for path in CORPUS.glob("*/*/meta.json")}
    return tuple(
        _recording(meta, folder)
        for folder, meta in sorted(metas.items())
        if meta["api"] == "responses"
    )
