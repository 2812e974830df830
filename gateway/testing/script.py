"""What a scripted upstream answers, as data."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

import msgspec
from msgspec import Struct

__all__ = ["Fault", "Framing", "Script", "Step", "event_stream", "json_answer", "page", "redirect"]


class Fault(Enum):
    """What an upstream does instead of going on.

    * `STALL`: nothing, until the client leaves.
    * `CUT`: closes the connection, as a server that ends in the middle of a sentence.
    * `RESET`: breaks the connection, as a server or a firewall that falls over.
    """

    STALL = "stall"
    CUT = "cut"
    RESET = "reset"


Step = bytes | float | asyncio.Event | Fault
"""Bytes to send, seconds to pause, a gate to wait at, or a fault."""

Framing = Literal["length", "chunked", "until_close"]
"""How the client learns where the body ends."""


class Script(Struct, frozen=True, kw_only=True):
    """One answer: `before` is played ahead of the status line, `body` after the headers.

    `framing` is by default the body's length if all of it is bytes, and chunked if it is not: then
    each step of bytes is one chunk. `close` ends the connection after the answer, unannounced.
    """

    status: int = 200
    headers: Mapping[str, str] = {}
    body: tuple[Step, ...] = ()
    before: tuple[Step, ...] = ()
    framing: Framing | None = None
    close: bool = False


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] = {}) -> Script:
    """Return an answer with `value` as its JSON body."""
    kind = {"content-type": "application/json"}
    return Script(status=status, headers={**kind, **headers}, body=(msgspec.json.encode(value),))


def event_stream(*body: Step, headers: Mapping[str, str] = {}) -> Script:
    """Return a stream of server-sent events; each piece of `body` is a chunk."""
    kind = {"content-type": "text/event-stream"}
    return Script(headers={**kind, **headers}, body=body, framing="chunked")


def page(text: str, *, status: int = 200) -> Script:
    """Return a page of HTML, as a misconfigured proxy would."""
    return Script(status=status, headers={"content-type": "text/html"}, body=(text.encode(),))


def redirect(location: str, *, status: int = 307) -> Script:
    """Return a redirect to `location`."""
    return Script(status=status, headers={"location": location})
