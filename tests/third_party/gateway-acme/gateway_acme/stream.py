"""Acme's events, read as deltas."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from gateway.plugin import Delta, Failure, Finished, Frame, Text, Thought, ToolCall, Used
from gateway.plugin.failures import read_failure
from gateway.types.response import Usage

KNOWN = {"text", "thought", "call", "end", "trouble"}
ENDS = {"limit": Finished("max_output_tokens"), "filtered": Finished("content_filter")}


class Event(Struct, frozen=True):
    """What is read of Acme's events, each of which has some of it."""

    text: str = ""
    proof: str = ""
    id: str = ""
    tool: str | None = None
    args: str = ""
    why: str = ""
    read: int = 0
    wrote: int = 0
    status: int = 502


decode_event = msgspec.json.Decoder(Event).decode


class AcmeTranslator:
    """Reads one answer."""

    def __init__(self) -> None:
        self._thought = ""

    def feed(self, frame: Frame, /) -> Iterator[Delta]:
        if frame.event not in KNOWN:
            return
        event = decode_event(frame.data)
        match frame.event:
            case "text":
                yield Text(event.text)
            case "thought":
                yield Thought(event.text, carrier=self._carrier(event))
            case "call":
                yield ToolCall(event.id, event.id, event.tool, event.args)
            case "end":
                yield Used(_usage(event))
                yield ENDS.get(event.why, Finished())
            case _:
                raise read_failure(Failure(status=event.status, body=frame.data), provider="acme")

    def _carrier(self, event: Event) -> str | None:
        """Return the whole thought as Acme wants it back, once Acme has signed it."""
        self._thought += event.text
        turn = {"from": "model", "thought": self._thought, "proof": event.proof}
        return msgspec.json.encode(turn).decode() if event.proof else None


def _usage(event: Event) -> Usage:
    total = event.read + event.wrote
    return Usage(input_tokens=event.read, output_tokens=event.wrote, total_tokens=total)
