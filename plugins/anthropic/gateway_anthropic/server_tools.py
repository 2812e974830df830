"""What Claude does on Anthropic's servers, and whatever else only Claude can read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.plugin import Delta, Item
from gateway.plugin.bodies import members_of, objects_in
from gateway.plugin.carriers import carry
from gateway.plugin.hosted import code_call, page_call, search_call
from gateway.types import hosted_items as h
from gateway.types.items import OutputItem
from gateway.types.request import Request
from gateway_anthropic.carriers import Block

__all__ = ["Opaque"]

_LOGS = ("stdout", "stderr", "content", "error_message")


class Opaque:
    """Collects the blocks that have to come back to Claude as they are.

    What follows on each other is one carrier, in its place among the other items. A tool that ran
    is also told as an item of OpenAI's, if there is one for it.
    """

    def __init__(self, request: Request) -> None:
        self.container = ""
        """The id of where the code of Claude runs."""
        self._include = request.include or ()
        self._unanswered: dict[str, Block] = {}
        self._blocks: list[Block] = []

    def add(self, block: Block) -> Iterator[Delta]:
        """Take in a whole block, and yield the item that it completes."""
        self._blocks.append(block)
        kind = str(block.get("type"))
        if kind.endswith("tool_use"):
            self._unanswered[str(block.get("id"))] = block
        elif kind == "mcp_tool_listing":
            tools = msgspec.convert(block.get("tools"), tuple[h.McpListedTool, ...])
            yield Item(h.McpListTools(server_label=str(block.get("mcp_server_name")), tools=tools))
        elif use := self._unanswered.pop(str(block.get("tool_use_id")), None):
            yield from map(Item, self._items(use, block))

    def flush(self, key: int) -> Iterator[Delta]:
        """Yield the carrier of what has been collected since the last one."""
        if self._blocks:
            yield carry(f"opaque {key}", *self._blocks)
            self._blocks = []

    def forget_unanswered(self) -> None:
        """Leave out calls that Anthropic broke off: it refuses those without a result."""
        broken = self._unanswered.values()
        self._blocks = [block for block in self._blocks if block not in broken]

    def _items(self, use: Block, result: Block) -> Iterator[OutputItem]:
        given, content = members_of(use.get("input")), result.get("content")
        found = members_of(content)
        failed = bool(result.get("is_error")) or str(found.get("type")).endswith("_error")
        status = "failed" if failed else "completed"
        match use.get("name"):
            case _ if use.get("type") == "mcp_tool_use":
                yield _mcp_call(use, content, failed=failed)
            case "web_search":
                urls = filter(None, (hit.get("url") for hit in objects_in(content)))
                query = given.get("query") or ""
                yield search_call([query], urls, self._include, status=status)
            case "web_fetch":
                yield page_call(found.get("url") or given.get("url"), status=status)
            case "code_execution" | "bash_code_execution" | "text_editor_code_execution":
                command = len(given) == 1 and given.get("command")
                code = given.get("code") or command or _json(given)
                logs = "".join(text for name in _LOGS if isinstance(text := found.get(name), str))
                yield code_call(code, logs, self._include, status=status, container=self.container)
            case _:
                pass


def _mcp_call(use: Block, content: Any, *, failed: bool) -> h.McpCall:
    text = "".join(str(part.get("text")) for part in objects_in(content)) or str(content or "")
    return h.McpCall(
        id=str(use.get("id")),  # by which the gateway finds it in the carrier
        name=str(use.get("name")),
        arguments=_json(use.get("input")),
        server_label=str(use.get("server_name")),
        status="failed" if failed else "completed",
        output=None if failed else text,
        error={"type": "mcp_tool_execution_error", "content": content} if failed else None,
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value or {}).decode()
