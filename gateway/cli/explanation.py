"""What a configuration means, in words: never a key, only where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.cli.download import downloads
from gateway.cli.mcp_servers import explain_servers
from gateway.config import Config, ModelEntry, ServerSettings
from gateway.core.deployments import deployments
from gateway.plugin import ApiKey, Provider
from gateway.plugin.manager import Plugins
from gateway.plugin.provider import key_of

__all__ = ["access", "explain", "list_models", "list_plugins"]


def explain(config: Config, plugins: Plugins) -> Iterator[str]:
    """Yield every model and every MCP server, where it is and with whose key, and who may call.

    Raises `ConfigError` with a line for each model that cannot be served, or if no plugin runs
    the servers.
    """
    providers = plugins.providers()
    for entry, deployment in zip(config.models, deployments(config, providers), strict=True):
        provider = providers[deployment.provider]
        yield entry.name
        yield f"  provider  {provider.name}"
        yield f"  model     {deployment.model}"
        yield f"  address   {deployment.base_url or 'its own'}"
        yield f"  key       {_key_source(entry, provider, config.environment)}"
        if entry.headers:
            yield f"  headers   {', '.join(entry.headers)}"
        if entry.tools == "gateway":
            yield "  tools     run by the gateway"
    yield from explain_servers(config, plugins)
    yield f"listens on {_address(config.server)}"
    yield access(config)
    if config.plugins.block:
        yield f"plugins not loaded: {', '.join(config.plugins.block)}"


def access(config: Config) -> str:
    """Say who may call the gateway."""
    if not config.api_keys:
        return "open: there are no api_keys, so only this machine may connect"
    tenants = sorted({entry.tenant for entry in config.api_keys})
    return f"guarded: {len(config.api_keys)} API keys, of {', '.join(tenants)}"


def list_models(config: Config, plugins: Plugins) -> Iterator[str]:
    """Yield the configured models, or without any those that the plugins name; then downloads."""
    providers = plugins.providers()
    if config.models:
        for entry in config.models:
            yield f"{entry.name}  ->  {entry.model}" if entry.name != entry.model else entry.name
        return
    for provider in providers.values():
        yield from (f"{provider.name}/{model}" for model in provider.models or ("*",))
    offers = downloads(providers)
    for name, download in offers.items():
        yield f"to pull: {name}  {download.summary} ({download.licence})"


def list_plugins(plugins: Plugins) -> Iterator[str]:
    """Yield the loaded plugins, each with its distribution and its providers."""
    for plugin in plugins.listing():
        origin = f"{plugin.distribution} {plugin.version}" if plugin.distribution else "built in"
        offers = f": providers {', '.join(plugin.providers)}" if plugin.providers else ""
        yield f"{plugin.name}  ({origin}){offers}"


def _address(server: ServerSettings) -> str:
    scheme = "https" if server.tls_certificate else "http"
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{scheme}://{host}:{server.port}"


def _key_source(entry: ModelEntry, provider: Provider, environment: Mapping[str, str]) -> str:
    if entry.api_key:
        return entry.api_key.source or "in the file"
    key = key_of(provider)
    if key is None:
        return "none needed"
    found = (name for name in key.env if environment.get(name))
    otherwise = "none" if isinstance(provider.credentials, ApiKey) else "fetched, and renewed"
    return next((f"os.environ/{name}" for name in found), otherwise)
