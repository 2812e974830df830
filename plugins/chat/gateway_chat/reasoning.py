"""OpenRouter's `reasoning_details`: state that must come back as it went out."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = ["ReasoningDetails", "read_carrier"]

_GROWING = ("text", "summary", "data")

_decode_carrier = msgspec.json.Decoder(list[dict[str, Any]]).decode


class ReasoningDetails:
    """Collects the details of a stream, whose texts come in pieces, into whole ones.

    `kind` says whether the latest of them are the model's own thoughts or a summary of them.
    """

    def __init__(self) -> None:
        self.kind: Literal["raw", "summary"] = "raw"
        self._details: list[dict[str, Any]] = []

    def add(self, pieces: tuple[dict[str, Any], ...]) -> None:
        for piece in pieces:
            if piece.get("type") != "reasoning.encrypted":
                self.kind = "summary" if piece.get("type") == "reasoning.summary" else "raw"
            if self._details and _continues(self._details[-1], piece):
                _extend(self._details[-1], piece)
            else:
                self._details.append(dict(piece))

    def take(self) -> str | None:
        """Return what came since the last time, as the text of a carrier."""
        details, self._details = self._details, []
        return msgspec.json.encode(details).decode() if details else None


def read_carrier(carrier: str | None) -> list[dict[str, Any]]:
    """Return the details in `carrier`, or nothing if it is another vendor's."""
    try:
        return _decode_carrier(carrier or "[]")
    except msgspec.DecodeError:
        return []


def _continues(last: dict[str, Any], piece: dict[str, Any]) -> bool:
    return (last.get("type"), last.get("index")) == (piece.get("type"), piece.get("index"))


def _extend(last: dict[str, Any], piece: dict[str, Any]) -> None:
    for name, value in piece.items():
        before = last.get(name)
        if name in _GROWING and isinstance(before, str) and isinstance(value, str):
            last[name] = before + value
        elif value is not None:
            last[name] = value
