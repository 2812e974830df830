"""From a tool of a request to the server that it names: the operator's, or the client's own."""

from __future__ import annotations

from gateway.errors import InvalidRequestError
from gateway.plugin import Config
from gateway.types.tools import McpTool
from gateway_mcp.operators import Operators
from gateway_mcp.server import Server
from gateway_mcp.visitors import visitor

__all__ = ["Servers"]


class Servers:
    """Finds the servers of requests."""

    def __init__(self, config: Config) -> None:
        self._operators = Operators(config.mcp_servers, config.environment)
        self._private = config.tools.private_addresses

    def insists(self, tool: McpTool) -> bool:
        """Say whether `tool` names a server by its label alone, where the operator has servers.

        Whether there is one of this label is not asked: who may not use it must not be told.
        """
        return bool(self._operators) and not _places(tool)

    def resolve(self, tool: McpTool, tenant: str) -> Server:
        """Return the server that `tool` means for `tenant`. Raises `InvalidRequestError`."""
        places = _places(tool)
        for place in places:
            if place != "server_url":
                problem = f"only OpenAI runs connectors and tunnels; write server_url, not {place}"
                raise InvalidRequestError(problem, param=place)
        own = self._operators.server(tool, tenant)
        if own is None and not places:
            raise InvalidRequestError(
                f"server_url is missing, and the gateway has no server {tool.server_label!r}",
                param="server_url",
            )
        if own is None:
            return visitor(tool, tenant, private=self._private)
        if places:
            raise InvalidRequestError(
                f"{tool.server_label!r} is a server of the gateway; leave server_url out to use it,"
                " or give yours another server_label",
                param="server_label",
            )
        _check_credentials(tool)
        return own


def _places(tool: McpTool) -> list[str]:
    """Return the members of `tool` that say where its server is."""
    said = {
        "connector_id": tool.connector_id,
        "tunnel_id": tool.tunnel_id,
        "server_url": tool.server_url,
    }
    return [name for name, value in said.items() if value]


def _check_credentials(tool: McpTool) -> None:
    for param, value in {"authorization": tool.authorization, "headers": tool.headers}.items():
        if value:
            raise InvalidRequestError(
                f"{tool.server_label!r} is a server of the gateway, which has credentials of its"
                f" own; leave {param} out",
                param=param,
            )
