"""Read a configuration file: LiteLLM's shape and our own sections, checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import fields, replace

from gateway.config import litellm
from gateway.config.api_keys import read_api_keys
from gateway.config.document import parse
from gateway.config.machine import state_directory
from gateway.config.mcp_servers import read_mcp_servers
from gateway.config.model_list import read_models
from gateway.config.reader import Node, Reader, Words
from gateway.config.settings import (
    Config,
    Environment,
    LoggingSettings,
    PluginSettings,
    Secret,
    ServerSettings,
    StateSettings,
    ToolSettings,
)
from gateway.errors import ConfigError

__all__ = ["default_config", "load"]

_FILE = Words(
    frozenset(
        (
            "model_list",
            "general_settings",
            "api_keys",
            "server",
            "plugins",
            "state",
            "logging",
            "tools",
            "mcp_servers",
        )
    ),
    foreign=litellm.FILE,
)
_STATE = Words(frozenset(StateSettings.__struct_fields__))
_GENERAL_SETTINGS = Words(frozenset(("master_key",)), foreign=litellm.GENERAL_SETTINGS)


def load(path: str | Path, environment: Mapping[str, str]) -> Config:
    """Return the configuration in the YAML file at `path`.

    Raises `ConfigError` with one line for each problem of the file.
    """
    path = Path(path)
    reader = Reader(environment)
    config = _read(reader, Node(parse(path), ""), environment)
    if config is None or reader.problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in reader.problems))
    return config


def default_config(environment: Mapping[str, str]) -> Config:
    """Return the configuration without a file: any `provider/model`, keys from the environment."""
    return Config(
        state=StateSettings(
            directory=state_directory(environment),
            secret=Secret(environment.get("GATEWAY_SECRET", "")),
        ),
        environment=Environment(environment),
    )


def _read(reader: Reader, document: Node, environment: Mapping[str, str]) -> Config | None:
    sections = reader.mapping(document, _FILE)
    absent = Node(None, "")
    models = read_models(reader, sections.get("model_list"))
    general = reader.mapping(sections.get("general_settings", absent), _GENERAL_SETTINGS)
    api_keys = read_api_keys(reader, sections.get("api_keys"), general.get("master_key"))
    server = _server(reader, sections.get("server", absent))
    plugins = reader.struct(PluginSettings, sections.get("plugins", absent))
    state = _state(reader, sections.get("state", absent), default_config(environment).state)
    logging = reader.struct(LoggingSettings, sections.get("logging", absent))
    tools = reader.struct(ToolSettings, sections.get("tools", absent))
    tenants = {entry.tenant for entry in api_keys}
    mcp_servers = read_mcp_servers(reader, sections.get("mcp_servers", absent), tenants)
    if server is None or plugins is None or logging is None or tools is None:
        return None
    return Config(
        models=models,
        api_keys=api_keys,
        server=server,
        plugins=plugins,
        state=state,
        logging=logging,
        tools=tools,
        mcp_servers=mcp_servers,
        environment=Environment(environment),
    )


def _server(reader: Reader, node: Node) -> ServerSettings | None:
    server = reader.struct(ServerSettings, node)
    if server and (server.tls_certificate is None) != (server.tls_key is None):
        reader.report(node, "tls_certificate and tls_key go together; write both or neither")
    return server


def _state(reader: Reader, node: Node, default: StateSettings) -> StateSettings:
    written = reader.mapping(node, _STATE)
    types = {field.name: field.type for field in fields(StateSettings)}
    return replace(
        default, **{name: reader.value(types[name], child) for name, child in written.items()}
    )
