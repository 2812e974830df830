"""Our client as the official conformance suite wants it: it lists and calls all tools of a URL."""

import asyncio
import sys

from gateway_mcp.client import McpClient
from gateway_mcp.connection import HttpEndpoint

ARGUMENTS = {"add_numbers": {"a": 5, "b": 3}}


async def main(url: str) -> None:
    async with McpClient() as client:
        connection = await client.connect(HttpEndpoint(url=url, private=True))
        for tool in await connection.list_tools():
            await connection.call_tool(tool.name, ARGUMENTS.get(tool.name, {}))
        await connection.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[-1]))
