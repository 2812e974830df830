"""What Gemini wants back with the next turn, and how reasoning items carry it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

__all__ = ["UNCHECKED", "Carrier", "read_carrier"]

UNCHECKED = "skip_thought_signature_validator"
"""What Gemini takes for the signature of a call that another model made."""


class Carrier(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one reasoning item brings back, around the place where it stands.

    `previous` signs the text before it, or only the last `length` characters, and `next` the first
    part of the item that follows. Between the two stand `parts`, which go back verbatim: code that
    ran at the vendor's with its output, searches, signatures on their own. Items that the gateway
    tells the client for these parts are not written again.
    """

    previous: str = ""
    length: int = 0
    parts: tuple[dict[str, Any], ...] = ()
    next: str = ""

    def sign(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the text `part`, with the end of it signed: apart from the rest, as it came."""
        text = part.get("text", "")
        cut = max(0, len(text) - self.length) if self.length else 0
        signed = {"text": text[cut:], "thoughtSignature": self.previous}
        return [{"text": text[:cut]}, signed] if cut else [signed]

    def written(self) -> str:
        """Return the text that `read_carrier` reads."""
        return msgspec.json.encode(self).decode()


_NOTHING = Carrier()
_decode_carrier = msgspec.json.Decoder(Carrier).decode


def read_carrier(text: str | None) -> Carrier:
    """Return what a carrier says: nothing, if `text` is absent or not one of ours."""
    try:
        return _decode_carrier(text) if text else _NOTHING
    except (ValueError, RecursionError):
        return _NOTHING
