"""The rules of all tool runners, with a server of the client's and with one of the operator's."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from gateway.plugin import Config, McpServer, ToolSettings
from gateway.testing import ToolRunnerConformance
from gateway.types.tools import McpTool
from gateway_mcp import McpRunner
from gateway_mcp.client import McpClient

STATE: Any = None  # a runner has no use for it


class TestServerOfTheOperator(ToolRunnerConformance):
    @pytest.fixture
    def tool(self) -> McpTool:
        return McpTool(server_label="docs")

    @pytest.fixture
    def call(self) -> tuple[str, str]:
        return "add", '{"a": 1, "b": 2}'

    @pytest.fixture
    async def runner(self, modern_url: str) -> AsyncGenerator[McpRunner]:
        server = McpServer(label="docs", url=modern_url, timeout=60.0)
        async with McpRunner(Config(state=STATE, mcp_servers=(server,)), McpClient()) as runner:
            yield runner


class TestServerOfTheClient(ToolRunnerConformance):
    @pytest.fixture
    def tool(self, modern_url: str) -> McpTool:
        return McpTool(server_label="docs", server_url=modern_url)

    @pytest.fixture
    def call(self) -> tuple[str, str]:
        return "add", '{"a": 1, "b": 2}'

    @pytest.fixture
    async def runner(self) -> AsyncGenerator[McpRunner]:
        config = Config(state=STATE, tools=ToolSettings(private_addresses=True))
        async with McpRunner(config, McpClient()) as runner:
            yield runner
