"""What each command does."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from gateway.cli.arguments import Options, parse
from gateway.cli.demo import Demo
from gateway.cli.download import pull
from gateway.cli.explanation import access, explain, list_models, list_plugins
from gateway.config import Config, cache_directory, default_config, environment, load
from gateway.errors import ConfigError, GatewayError
from gateway.observe import logging as request_log
from gateway.plugin.manager import Plugins
from gateway.server import Ready, check_binding, check_engine, run

__all__ = ["main"]

_FAILED, _WRONG, _INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit code of the process.

    0 is success, 1 a failure, 2 a wrong command line or configuration, 130 an interrupt.
    """
    options = parse(arguments)
    try:
        _run(options, environment())
    except GatewayError as error:
        for line in error.message.splitlines():
            print(f"gateway: {line}", file=sys.stderr)
        return _WRONG if isinstance(error, ConfigError) and options.command != "check" else _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _run(options: Options, environment: Mapping[str, str]) -> None:
    config = load(options.config, environment) if options.config else default_config(environment)
    config = _overridden(config, options)
    plugins = Plugins(extra=(request_log,), blocked=config.plugins.block)
    match options.command:
        case "check":
            check_binding(config)
            check_engine(config.server)
            _print(explain(config, plugins))
        case "models":
            _print(list_models(config, plugins))
        case "plugins":
            _print(list_plugins(plugins))
        case "pull":
            pull(options.name, plugins.providers(), cache_directory(environment))
        case "demo":
            _demonstrate(config, plugins)
        case _:
            _serve(config, plugins)


def _serve(config: Config, plugins: Plugins, then: Ready | None = None) -> None:
    def ready(url: str) -> None:
        _print(_welcome(url, config))
        if then:
            then(url)

    request_log.configure(config.logging.level)
    run(config, plugins, ready=ready)


def _demonstrate(config: Config, plugins: Plugins) -> None:
    demo = Demo(config)
    try:
        _serve(demo.config, plugins, demo.begin)
    finally:
        demo.end()


def _welcome(url: str, config: Config) -> list[str]:
    names = dict.fromkeys(entry.name for entry in config.models)
    return [
        f"running on {url}",
        f"models: {', '.join(names)}",
        access(config),
        "press Ctrl-C to stop",
    ]


def _overridden(config: Config, options: Options) -> Config:
    said = {"host": options.host, "port": options.port, "workers": options.workers}
    changes = {name: value for name, value in said.items() if value is not None}
    return replace(config, server=replace(config.server, **changes))


def _print(lines: Iterable[str]) -> None:
    # Flushed, so that whoever waits for the address in a pipe sees it at once.
    for line in lines:
        print(line, flush=True)
