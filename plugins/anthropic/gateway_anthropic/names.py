"""Names of functions that Anthropic takes: others are replaced, each by always the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from gateway.types.request import Request
from gateway.types.tools import FunctionTool

__all__ = ["safe_name", "told_names"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


def safe_name(name: str) -> str:
    """Return the name by which Anthropic knows the function `name`."""
    if _NAME.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_FORBIDDEN.sub('_', name)[:55]}_{digest}"


def told_names(request: Request) -> Mapping[str, str]:
    """Return the client's name of each function by Anthropic's."""
    names = [tool.name for tool in request.tools or () if isinstance(tool, FunctionTool)]
    return {safe_name(name): name for name in names}
