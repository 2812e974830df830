"""The configuration: one YAML file and the environment, read once into frozen Structs."""

from gateway.config.loading import default_config, load
from gateway.config.machine import cache_directory, environment, secret, state_directory
from gateway.config.settings import (
    ApiKeyEntry,
    Config,
    Environment,
    LoggingSettings,
    McpServer,
    ModelEntry,
    PluginSettings,
    Secret,
    ServerSettings,
    StateSettings,
    Timeouts,
    ToolSettings,
)

__all__ = [
    "ApiKeyEntry",
    "Config",
    "Environment",
    "LoggingSettings",
    "McpServer",
    "ModelEntry",
    "PluginSettings",
    "Secret",
    "ServerSettings",
    "StateSettings",
    "Timeouts",
    "ToolSettings",
    "cache_directory",
    "default_config",
    "environment",
    "load",
    "secret",
    "state_directory",
]
