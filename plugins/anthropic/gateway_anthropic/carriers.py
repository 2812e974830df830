"""Carriers: content blocks that Claude wants back as they were, as JSON text."""

from typing import Any

import msgspec

__all__ = ["Block", "read"]

Block = dict[str, Any]
"""A content block, just as it stands in Anthropic's JSON."""

read = msgspec.json.Decoder(list[Block]).decode
