"""What Claude does on Anthropic's servers, and whatever else only Claude can read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, cast

import msgspec
from msgspec import Struct

from gateway.plugin import Delta, Item, Thought
from gateway.types.hosted_items import (
    CodeInterpreterCall,
    McpCall,
    McpListedTool,
    McpListTools,
    WebSearchCall,
)
from gateway.types.items import OutputItem
from gateway_anthropic.carriers import Block, write

__all__ = ["Opaque"]

_SOURCES = "web_search_call.action.sources"
_OUTPUTS = "code_interpreter_call.outputs"
_CODE = {"code_execution": "code", "bash_code_execution": "command"}
_LOGS = ("stdout", "stderr", "content", "error_message")


class _Run(Struct, frozen=True, kw_only=True):
    """One run of a tool: the blocks of its call and of its result, and what may be shown of it."""

    use: Block
    result: Block
    include: Collection[str]
    container: str

    @property
    def input(self) -> Block:
        return _object(self.use.get("input"))

    @property
    def found(self) -> Block:
        return _object(self.result.get("content"))

    @property
    def status(self) -> str:
        kind = str(self.found.get("type"))
        return "failed" if self.result.get("is_error") or kind.endswith("_error") else "completed"

    @property
    def parts(self) -> list[Block]:
        content = self.result.get("content")
        return list(map(_object, cast("list[Any]", content))) if isinstance(content, list) else []


class Opaque:
    """Collects the blocks that have to come back to Claude as they are.

    What follows on each other is one carrier, in its place among the other items. A tool that ran
    is also told as an item of OpenAI's, if there is one for it; `include` says what that may show.
    """

    def __init__(self, include: Collection[str]) -> None:
        self._include = include
        self._unanswered: dict[str, Block] = {}
        self._blocks: list[Block] = []

    def add(self, block: Block, container: str) -> Iterator[Delta]:
        """Take in a whole block; yield what becomes of it. `container` is where code runs."""
        self._blocks.append(block)
        kind = str(block.get("type"))
        if kind.endswith("tool_use"):
            self._unanswered[str(block.get("id"))] = block
        elif kind == "mcp_tool_listing":
            tools = msgspec.convert(block.get("tools"), tuple[McpListedTool, ...])
            yield Item(McpListTools(server_label=str(block.get("mcp_server_name")), tools=tools))
        elif use := self._unanswered.pop(str(block.get("tool_use_id")), None):
            name = "mcp" if kind == "mcp_tool_result" else str(use.get("name"))
            if read := _READERS.get(name):
                run = _Run(use=use, result=block, include=self._include, container=container)
                yield Item(read(run))

    def flush(self, key: int) -> Iterator[Delta]:
        """Yield the carrier of what has been collected since the last one."""
        if self._blocks:
            yield Thought(key=f"opaque {key}", carrier=write(self._blocks))
            self._blocks = []

    def forget_unanswered(self) -> None:
        """Leave out calls that Anthropic broke off: it refuses those without a result."""
        broken = list(self._unanswered.values())
        self._blocks = [block for block in self._blocks if block not in broken]


def _search(run: _Run) -> WebSearchCall:
    query = str(run.input.get("query") or "")
    action: Block = {"type": "search", "query": query, "queries": [query]}
    if _SOURCES in run.include:
        urls = (part.get("url") for part in run.parts)
        action["sources"] = [{"type": "url", "url": url} for url in urls if url]
    return WebSearchCall(status=run.status, action=action)


def _open_page(run: _Run) -> WebSearchCall:
    url = run.found.get("url") or run.input.get("url")
    return WebSearchCall(status=run.status, action={"type": "open_page", "url": url})


def _interpret(run: _Run) -> CodeInterpreterCall:
    code = run.input.get(_CODE.get(str(run.use.get("name")), ""))
    logs = "".join(text for name in _LOGS if isinstance(text := run.found.get(name), str))
    return CodeInterpreterCall(
        container_id=run.container,
        status=run.status,
        code=code if isinstance(code, str) else _json(run.input),
        outputs=({"type": "logs", "logs": logs},) if _OUTPUTS in run.include else None,
    )


def _call_server(run: _Run) -> McpCall:
    failed = run.status == "failed"
    content = run.result.get("content")
    text = "".join(str(part.get("text") or "") for part in run.parts) or str(content or "")
    return McpCall(
        name=str(run.use.get("name")),
        arguments=_json(run.input),
        server_label=str(run.use.get("server_name")),
        status=run.status,
        output=None if failed else text,
        error={"type": "mcp_tool_execution_error", "content": content} if failed else None,
    )


_READERS: Mapping[str, Callable[[_Run], OutputItem]] = {
    "bash_code_execution": _interpret,
    "code_execution": _interpret,
    "mcp": _call_server,
    "text_editor_code_execution": _interpret,
    "web_fetch": _open_page,
    "web_search": _search,
}


def _object(value: Any) -> Block:
    return cast("Block", value) if isinstance(value, dict) else {}


def _json(value: Block) -> str:
    return msgspec.json.encode(value).decode()
