"""The runner keeps the contract of tool runners, with a server that always finds the same."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from gateway.plugin import Config, Secret, ToolRunner, ToolSettings
from gateway.testing import ScriptedUpstream, ToolRunnerConformance, json_answer
from gateway.types.tools import WebSearchTool
from gateway_searxng import gateway_tool_runners

KEY = "invented-credential"
FOUND = {"results": [{"url": "https://a.example/", "title": "A", "content": "All of it."}]}


class TestConformance(ToolRunnerConformance):
    secrets = (KEY,)

    @pytest.fixture
    def tool(self) -> WebSearchTool:
        return WebSearchTool()

    @pytest.fixture
    def call(self) -> tuple[str, str]:
        return "web_search", '{"query": "rain"}'

    @pytest.fixture
    async def runner(self) -> AsyncGenerator[ToolRunner]:
        async with ScriptedUpstream() as server:
            server.handle("/search", lambda received: json_answer(FOUND))
            settings = {"url": Secret(server.url), "api_key": Secret(KEY)}
            state: Any = None  # a runner has no use for it
            config = Config(state=state, tools=ToolSettings(runners={"searxng": settings}))
            (runner,) = gateway_tool_runners(config)
            async with runner:
                yield runner
