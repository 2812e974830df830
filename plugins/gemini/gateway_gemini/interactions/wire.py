"""The part of interactions that we read: members that we do not use are not here."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

__all__ = [
    "Arguments",
    "Citation",
    "Event",
    "Found",
    "HostedStep",
    "Interaction",
    "Piece",
    "read_event",
]

Json = dict[str, Any]


class Citation(Struct, frozen=True):
    """A source of a text; the places count bytes."""

    type: str | None = None
    url: str | None = None
    title: str | None = None
    name: str | None = None
    document_uri: str | None = None
    source: str | None = None
    file_name: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Piece(Struct, frozen=True):
    """A step of the model's own, more of one, or content in it: `type` says which."""

    type: str = ""
    id: str | None = None
    name: str | None = None
    arguments: Any = None
    signature: str | None = None
    text: str | None = None
    data: str | None = None
    mime_type: str | None = None
    annotations: tuple[Citation, ...] | None = None
    summary: tuple[Piece, ...] | None = None
    content: Piece | tuple[Piece, ...] | None = None
    error: Any = None


class Arguments(Struct, frozen=True):
    code: str | None = None
    queries: tuple[str, ...] | None = None
    urls: tuple[str, ...] | None = None


class Found(Struct, frozen=True):
    """A page that was found or read, or a text that code wrote."""

    url: str | None = None
    status: str | None = None
    text: str | None = None


class HostedStep(Struct, frozen=True):
    """What a tool of Google's was called with, or what it gave."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    arguments: Arguments | None = None
    result: str | tuple[Found, ...] | None = None
    is_error: bool | None = None


class Interaction(Struct, frozen=True):
    """What an answer says of itself; `steps` are there if it came in one piece."""

    status: str | None = None
    usage: Json | None = None
    steps: tuple[Json, ...] | None = None
    continuation_token: str | None = None
    errors: tuple[Json, ...] | None = None
    error: Any = None


class Event(Interaction, frozen=True):
    """An event of a stream, or an answer in one piece, which has no `event_type`."""

    event_type: str = ""
    index: int = 0
    step: Json = {}
    delta: Json = {}
    interaction: Interaction = Interaction()


read_event = msgspec.json.Decoder(Event).decode
