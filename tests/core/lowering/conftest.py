"""Requests from JSON, as clients send it, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import pytest

from gateway.core.lowering import Lowered, lower
from gateway.plugin.dialect import Translator
from gateway.plugin.support import FUNCTIONS_ONLY
from gateway.stream.deltas import Delta, Finished
from gateway.stream.frames import Frame
from gateway.types.request import decode_request

Lower = Callable[..., Lowered]
Restore = Callable[..., list[Delta]]

ALL = frozenset(
    name
    for table in (FUNCTIONS_ONLY.tools, FUNCTIONS_ONLY.items)
    for name, support in table.items()
    if support.action == "emulate"
)
"""What a dialect leaves to the gateway that knows nothing but functions."""


class Told:
    """A translator that says, frame by frame, what it was told to say."""

    def __init__(self, *said: Sequence[Delta]) -> None:
        self._said = iter(said)

    def feed(self, frame: Frame, /) -> Iterable[Delta]:
        yield from next(self._said)


@pytest.fixture
def lowered() -> Lower:
    """Return a function that lowers a request of the given members."""

    def make(*, types: Iterable[str] = ALL, **members: Any) -> Lowered:
        request = decode_request(json.dumps({"model": "m", "input": "hello", **members}))
        return lower(request, frozenset(types))

    return make


@pytest.fixture
def restored(lowered: Lower) -> Restore:
    """Return a function that tells what comes of deltas, given the tools of the request."""

    def make(tools: Sequence[Any], *deltas: Delta, reason: Any = "stop") -> list[Delta]:
        told: Translator = Told([*deltas, Finished(reason)])
        return [*lowered(tools=tools).restoring(told).feed(Frame(b""))][:-1]

    return make


@pytest.fixture
def plain() -> Callable[[Any], Any]:
    """Return a function that gives the JSON value of a Struct, or of a sequence of them."""

    def make(value: Any) -> Any:
        return msgspec.json.decode(msgspec.json.encode(value))

    return make
