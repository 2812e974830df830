"""MCP servers as tools of any model, run by the gateway."""

from collections.abc import Iterable

from gateway.plugin import Config, ToolRunner, hookimpl
from gateway_mcp.client import McpClient
from gateway_mcp.runner import McpRunner

__all__ = ["McpRunner", "gateway_tool_runners"]


@hookimpl
def gateway_tool_runners(config: Config) -> Iterable[ToolRunner]:
    return (McpRunner(config, McpClient()),)
