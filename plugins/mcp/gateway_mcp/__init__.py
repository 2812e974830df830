"""MCP servers as tools of any model, run by the gateway."""

from collections.abc import Iterable

from gateway.plugin import Config, ToolRunner, hookimpl
from gateway_mcp.client import McpClient
from gateway_mcp.connection import Limits
from gateway_mcp.runner import McpRunner

__all__ = ["McpRunner", "gateway_tool_runners"]


@hookimpl
def gateway_tool_runners(config: Config) -> Iterable[ToolRunner]:
    # An output takes more bytes on its way than it has in the end.
    answer_bytes = max(Limits().answer_bytes, 2 * config.tools.result_bytes)
    return (McpRunner(config, McpClient(Limits(answer_bytes=answer_bytes))),)
