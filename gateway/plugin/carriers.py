"""Carriers: what a vendor wants back as it was, kept by the client as sealed text until then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.stream.deltas import Key, Thought

__all__ = ["carry"]


def carry(key: Key, *blocks: Mapping[str, Any]) -> Thought:
    """Return the thought `key` with a carrier that holds `blocks`, as a list in JSON."""
    return Thought(key=key, carrier=msgspec.json.encode(blocks).decode())
