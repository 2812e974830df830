"""What the MCP servers mean, in words: never a credential, only where each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.config import Config, McpServer
from gateway.errors import ConfigError
from gateway.plugin.manager import Plugins
from gateway.types.tools import McpApprovalPolicy, McpToolFilter

__all__ = ["explain_servers"]


def explain_servers(config: Config, plugins: Plugins) -> Iterator[str]:
    """Yield where each server is, what can be done with it, and by whom.

    Raises `ConfigError` if there are servers and no plugin that runs them.
    """
    runners = plugins.tool_runners(config)
    if config.mcp_servers and not any("mcp" in runner.types for runner in runners):
        raise ConfigError("mcp_servers: no plugin runs MCP servers; install gateway-mcp")
    for server in config.mcp_servers:
        yield f"MCP server {server.label}"
        yield from _place(server)
        yield f"  tools     {_tools(server.allowed_tools)}"
        yield f"  approval  {_approval(server.require_approval)}"
        yield f"  tenants   {', '.join(server.tenants) or 'all'}"


def _place(server: McpServer) -> Iterator[str]:
    if server.command:
        # Not the arguments: there are servers that take their keys so.
        yield f"  command   {server.command}"
        return
    url = urlsplit(server.url)
    yield f"  address   {url.scheme}://{url.netloc}{url.path}"
    if server.authorization:
        yield f"  key       {server.authorization.source or 'in the file'}"
    if server.headers:
        yield f"  headers   {', '.join(server.headers)}"


def _tools(allowed: tuple[str, ...] | McpToolFilter | None) -> str:
    if allowed is None:
        return "all"
    return _matched(allowed) if isinstance(allowed, McpToolFilter) else ", ".join(allowed) or "none"


def _approval(policy: str | McpApprovalPolicy | None) -> str:
    match policy:
        case None:
            return "as the client says, always if it says nothing"
        case McpApprovalPolicy():
            rules = {"always for": policy.always, "never for": policy.never}
            told = [f"{rule} {_matched(wanted)}" for rule, wanted in rules.items() if wanted]
            return ", ".join(told) or "always"
        case _:
            return policy


def _matched(wanted: McpToolFilter) -> str:
    names = wanted.tool_names
    which = ", ".join(names) or "none" if isinstance(names, tuple) else "all"
    if not isinstance(wanted.read_only, bool):
        return which
    return f"{which} that only read" if wanted.read_only else f"{which} that may write"
