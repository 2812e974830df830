"""The servers that the operator has configured, which clients name by their labels alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.plugin import McpServer, Secret
from gateway.types.tools import McpTool
from gateway_mcp.connection import Endpoint, HttpEndpoint, ProcessEndpoint
from gateway_mcp.credentials import bearer, secrets_in
from gateway_mcp.policy import Approval
from gateway_mcp.server import Server

__all__ = ["Operators"]

_INHERITED = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER")
"""What a command needs to be found and to run, as other clients of MCP hand on, too."""


class Operators:
    """Knows the operator's servers, and who may use which.

    Of the gateway's own `environment`, a command gets only what any program needs, and no keys.
    """

    def __init__(self, servers: Iterable[McpServer], environment: Mapping[str, str]) -> None:
        self._servers = {server.label: server for server in servers}
        self._inherited = {name: environment[name] for name in _INHERITED if name in environment}

    def __bool__(self) -> bool:
        return bool(self._servers)

    def server(self, tool: McpTool, tenant: str) -> Server | None:
        """Return the server that `tool` names, or None if `tenant` has none of that label."""
        server = self._servers.get(tool.server_label)
        if server is None or (server.tenants and tenant not in server.tenants):
            return None
        return Server(
            label=server.label,
            endpoint=self._endpoint(server),
            owner="",
            allowed=(server.allowed_tools, tool.allowed_tools),
            policies=_policies(server.require_approval, tool.require_approval),
            listed=True,
            seconds=server.timeout,
            secrets=secrets_in(_secrets(server), server.url),
        )

    def _endpoint(self, server: McpServer) -> Endpoint:
        if server.command:
            environment = {**self._inherited, **_revealed(server.env)}
            return ProcessEndpoint(
                command=server.command, args=server.args, environment=environment
            )
        headers = _revealed(server.headers)
        if server.authorization:
            headers["Authorization"] = bearer(server.authorization.reveal())
        return HttpEndpoint(
            url=server.url, transport=server.transport, headers=headers, private=True
        )


def _policies(operator: Approval, client: Approval) -> tuple[Approval, ...]:
    """What one of the two does not say is up to the other; if neither does, always."""
    if operator is None or client is None:
        return (operator or client,)
    return (operator, client)


def _revealed(secrets: Mapping[str, Secret]) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in secrets.items()}


def _secrets(server: McpServer) -> Iterable[str]:
    """Of a process's environment, what stands in the file is no secret: it may be any word."""
    yield server.authorization.reveal()
    yield from (secret.reveal() for secret in server.headers.values())
    yield from (secret.reveal() for secret in server.env.values() if secret.source)
