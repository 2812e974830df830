"""What is read of Anthropic's answers; whatever else they hold is passed over."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from gateway_anthropic.carriers import Block

__all__ = ["Event", "Message", "read_event", "read_message"]


class Container(Struct, frozen=True):
    """Where Claude's code runs."""

    id: str = ""


class Refused(Struct, frozen=True):
    """Why Claude did not go on, if it says so."""

    explanation: str | None = None


class Message(Struct, frozen=True):
    """A whole message, or what the events around its content say of it."""

    content: tuple[Block, ...] | None = None
    usage: Block | None = None
    stop_reason: str | None = None
    stop_details: Refused | None = None
    container: Container | None = None


class Event(Message, frozen=True):
    """An event of a stream, or a whole message or error in place of one."""

    type: str = ""
    index: int = 0
    message: Message | None = None
    content_block: Block | None = None
    delta: Block | None = None
    error: Any = None


read_event = msgspec.json.Decoder(Event).decode


def read_message(delta: Block | None) -> Message:
    """Return what the `delta` of a `message_delta` says of the message."""
    return msgspec.convert(delta or {}, Message)
