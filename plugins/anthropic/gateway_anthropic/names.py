"""Names and ids that Anthropic takes: others are replaced by ones that are always the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from gateway.types.request import Request
from gateway.types.tools import FunctionTool

__all__ = ["safe_id", "safe_name", "told_names"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


def safe_name(name: str) -> str:
    """Return the name by which Anthropic knows the function `name`."""
    if _NAME.fullmatch(name):
        return name
    return f"{_FORBIDDEN.sub('_', name)[:55]}_{_digest(name)}"


def told_names(request: Request) -> Mapping[str, str]:
    """Return the client's names of the functions that Anthropic knows by another one."""
    names = [tool.name for tool in request.tools or () if isinstance(tool, FunctionTool)]
    return {safe_name(name): name for name in names if safe_name(name) != name}


def safe_id(call_id: str, again: int) -> str:
    """Return the id for the call whose id `again` earlier calls have, too."""
    if not again and call_id and not _FORBIDDEN.search(call_id):
        return call_id
    return f"call_{_digest(f'{call_id}#{again}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
