"""Names of functions that all vendors take: any other becomes one of them, always the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from gateway.types.request import Request
from gateway.types.tools import FunctionTool

__all__ = ["safe_name", "told_names"]

_SAFE = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


def safe_name(name: str) -> str:
    """Return `name` in at most 64 letters, digits, `_` and `-`; a hash makes up for what that takes
    away.
    """
    if _SAFE.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_FORBIDDEN.sub('_', name)[:55]}_{digest}"


def told_names(request: Request) -> Mapping[str, str]:
    """Return the client's name of each function by the safe one that the vendor was told."""
    names = [tool.name for tool in request.tools or () if isinstance(tool, FunctionTool)]
    return {safe_name(name): name for name in names}
