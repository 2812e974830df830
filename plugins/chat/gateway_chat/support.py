"""What of a request Chat Completions can express; what servers differ in is left to check.py."""

from __future__ import annotations

from gateway.plugin.support import ACCEPT, BY_VALUE, FUNCTIONS_ONLY, SupportTable, reject
from gateway_chat.quirks import Quirks

__all__ = ["SUPPORT", "table_for"]

SUPPORT = FUNCTIONS_ONLY.but(
    tools={
        "function": BY_VALUE,
        "web_search": BY_VALUE,
        "web_search_2025_08_26": BY_VALUE,
        "web_search_preview": BY_VALUE,
        "web_search_preview_2025_03_11": BY_VALUE,
    },
)

_WITH_CUSTOM_TOOLS = SUPPORT.but(
    tools={"custom": BY_VALUE},
    items={"custom_tool_call": ACCEPT, "custom_tool_call_output": BY_VALUE},
)

_NO_TOOLS = reject("the upstream knows no tools")
_WITHOUT_TOOLS = SUPPORT.but(
    tools={name: _NO_TOOLS for name in SUPPORT.tools if not name.startswith("web_search")},
    items={
        name: _NO_TOOLS
        for name in SUPPORT.items
        if name.endswith(("_call", "_output")) or name.startswith(("mcp_", "additional_tools"))
    },
)


def table_for(quirks: Quirks) -> SupportTable:
    """Return the table for a server with `quirks`."""
    if quirks.tools == "none":
        return _WITHOUT_TOOLS
    if quirks.tools == "native" and quirks.custom_tools == "native":
        return _WITH_CUSTOM_TOOLS
    return SUPPORT
