"""Names of functions that vendors take: any other becomes one of them, always the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from gateway.plugin.content import items_of
from gateway.types.items import FunctionCall
from gateway.types.request import Request
from gateway.types.tools import FunctionTool

__all__ = ["safe_name", "told_names"]

_BY_ALL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FORBIDDEN = re.compile(r"^[^a-zA-Z_]|[^a-zA-Z0-9_-]")


def safe_name(name: str, allowed: re.Pattern[str] = _BY_ALL) -> str:
    """Return `name` if it is `allowed`, as a rule because all vendors take it; else one of at most
    64 letters, digits, `_` and `-` that begins with a letter or `_`, and ends with a hash that
    makes up for what was taken away.
    """
    if allowed.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_FORBIDDEN.sub('_', name)[:55]}_{digest}"


def told_names(request: Request, allowed: re.Pattern[str] = _BY_ALL) -> Mapping[str, str]:
    """Return the client's name of each function by the one that the vendor was told."""
    names = [tool.name for tool in request.tools or () if isinstance(tool, FunctionTool)]
    names += [item.name for item in items_of(request) if isinstance(item, FunctionCall)]
    return {safe_name(name, allowed): name for name in names}
