"""Web search through SearXNG as a tool of any model, run by the gateway."""

from collections.abc import Iterable

from gateway.plugin import Config, ToolRunner, hookimpl
from gateway_searxng.client import Searxng
from gateway_searxng.runner import WebSearchRunner
from gateway_searxng.settings import read_settings

__all__ = ["WebSearchRunner", "gateway_tool_runners"]


@hookimpl
def gateway_tool_runners(config: Config) -> Iterable[ToolRunner]:
    """Offer the runner, if the operator has named a SearXNG."""
    settings = read_settings(config)
    if settings is None:
        return ()
    client = Searxng(settings, seconds=config.tools.call_seconds)
    return (WebSearchRunner(client, results=settings.results),)
