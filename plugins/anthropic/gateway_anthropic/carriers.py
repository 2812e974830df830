"""Carriers: content blocks that Claude wants back as they were, as JSON text."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Block", "read", "write"]

Block = dict[str, Any]
"""A content block, just as it stands in Anthropic's JSON."""

_decode = msgspec.json.Decoder(list[Block]).decode


def read(carrier: str) -> list[Block]:
    """Return the blocks of a carrier that `write` has made."""
    return _decode(carrier)


def write(blocks: list[Block]) -> str:
    return msgspec.json.encode(blocks).decode()
