"""Which tools of a request the gateway runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import Config, McpServer, Secret, StateSettings
from gateway.core.engine import Engine
from gateway.errors import ConfigError
from gateway.plugin.manager import Plugins


def test_servers_that_nobody_runs_are_an_error_at_the_start(tmp_path: Path) -> None:
    config = Config(
        state=StateSettings(directory=tmp_path, secret=Secret("a secret of the tests")),
        mcp_servers=(McpServer(label="docs", url="https://docs.test/mcp"),),
    )
    with pytest.raises(ConfigError, match="install gateway-mcp"):
        Engine(config, Plugins(blocked=["mcp"]))
