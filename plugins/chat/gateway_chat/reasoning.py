"""Reasoning that must come back: what a vendor wants with the next turn, and how it is carried."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

__all__ = ["Carrier", "ReasoningState", "read_carrier", "write_carrier"]

_GROWING = ("text", "summary", "data")


class Carrier(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one reasoning item brings back to the vendor.

    `text` is the raw reasoning, `details` are OpenRouter's `reasoning_details`, whole and in order.
    `signatures` are those of calls, by call id; that of the reasoning itself, or of the text that
    followed it, has the empty name.
    """

    text: str = ""
    details: tuple[dict[str, Any], ...] = ()
    signatures: dict[str, str] = {}


_NOTHING = Carrier()
_decode_carrier = msgspec.json.Decoder(Carrier).decode


def write_carrier(carrier: Carrier) -> str | None:
    """Return `carrier` as text, or None if there is nothing in it."""
    return msgspec.json.encode(carrier).decode() if carrier != _NOTHING else None


def read_carrier(text: str | None) -> Carrier:
    """Return what `write_carrier` wrote, or nothing if `text` is absent or another vendor's."""
    if not text:
        return _NOTHING
    try:
        return _decode_carrier(text)
    except (ValueError, RecursionError):
        return _NOTHING


class ReasoningState:
    """Collects what has to come back of the reasoning, of which streams send pieces.

    With `keep_text` the text is kept, too: the vendor wants it, and not all clients keep it. `kind`
    says whether the latest details are the model's own thoughts or a summary of them, `pending`
    whether there is something to take.
    """

    def __init__(self, *, keep_text: bool) -> None:
        self.kind: Literal["raw", "summary"] = "raw"
        self.pending = False
        self._keep_text = keep_text
        self._texts: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._signatures: dict[str, str] = {}

    def add_text(self, text: str) -> None:
        if self._keep_text:
            self.pending = True
            self._texts.append(text)

    def add_details(self, pieces: tuple[dict[str, Any], ...]) -> None:
        self.pending = True
        for piece in pieces:
            if piece.get("type") != "reasoning.encrypted":
                self.kind = "summary" if piece.get("type") == "reasoning.summary" else "raw"
            if self._details and _continues(self._details[-1], piece):
                _extend(self._details[-1], piece)
            else:
                self._details.append(dict(piece))

    def add_signature(self, signature: str, call_id: str = "") -> None:
        self.pending = True
        self._signatures[call_id] = signature

    def take(self) -> str | None:
        """Return the carrier of what came since the last time, as text."""
        carrier = Carrier(
            text="".join(self._texts),
            details=tuple(self._details),
            signatures=self._signatures,
        )
        self.pending = False
        self._texts, self._details, self._signatures = [], [], {}
        return write_carrier(carrier)


def _continues(last: dict[str, Any], piece: dict[str, Any]) -> bool:
    """Say whether `piece` is more of `last`: a signature ends the text that it signs."""
    if (last.get("type"), last.get("index")) != (piece.get("type"), piece.get("index")):
        return False
    if piece.get("id") not in (None, last.get("id")):
        return False
    return not (last.get("signature") and piece.get("text"))


def _extend(last: dict[str, Any], piece: dict[str, Any]) -> None:
    for name, value in piece.items():
        before = last.get(name)
        if name in _GROWING and isinstance(before, str) and isinstance(value, str):
            last[name] = before + value
        elif value is not None:
            last[name] = value
