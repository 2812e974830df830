"""What Gemini wants back with the next turn, and how reasoning items carry it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

__all__ = ["UNCHECKED", "Carrier", "read_carrier"]

UNCHECKED = "skip_thought_signature_validator"
"""What Gemini takes for the signature of a call that another model made."""


Part = dict[str, Any]


class Carrier(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one reasoning item brings back, around the place where it stands.

    `previous` signs the text before it, and `next` the first part of the item that follows; with a
    length only so many characters of a text, those that are near. Between the two stand `parts`,
    which go back verbatim: code that ran at the vendor's with its output, searches, signatures on
    their own. Items that the gateway tells the client for these parts are not written again.
    """

    previous: str = ""
    previous_length: int = 0
    parts: tuple[Part, ...] = ()
    next: str = ""
    next_length: int = 0

    def sign_end(self, text: str) -> list[Part]:
        """Return the `text` before, signed: what was not signed stands apart, as it came."""
        cut = max(0, len(text) - (self.previous_length or len(text)))
        signed = {"text": text[cut:], "thoughtSignature": self.previous}
        return [{"text": text[:cut]}, signed] if cut else [signed]

    def sign_start(self, part: Part) -> list[Part]:
        """Return the `part` that follows, signed like that."""
        text = part.get("text", "")
        cut = self.next_length or len(text)
        if cut >= len(text):
            return [{**part, "thoughtSignature": self.next}]
        return [{"text": text[:cut], "thoughtSignature": self.next}, {"text": text[cut:]}]

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
