"""Names: what the functions are called that stand for other tools."""

from __future__ import annotations

import hashlib
import re

from msgspec import Struct

__all__ = ["Origin", "flat_name"]

_LONGEST = 64
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


class Origin(Struct, frozen=True):
    """The tool that a function stands for: its type, and the name that its calls carry."""

    type: str
    name: str
    namespace: str | None = None


def flat_name(name: str, namespace: str | None) -> str:
    """Return the one name for `name` in `namespace`, which is always the same.

    It has at most 64 of the characters that all upstreams allow; a hash makes up for what that
    takes away.
    """
    if not namespace:
        return name
    full = f"{namespace}__{name}"
    allowed = _FORBIDDEN.sub("_", full)
    if allowed == full and len(full) <= _LONGEST:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"{allowed[: _LONGEST - 9]}_{digest}"
