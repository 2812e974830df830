"""The words of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import version

__all__ = ["Options", "parse"]

_DESCRIPTION = "Serve the OpenAI Responses API in front of any model."
_EXAMPLES = """\
examples:
  gateway --config config.yaml               serve what the file describes
  gateway --config config.yaml --port 8080   the same, on another port
  gateway check --config config.yaml         explain the file, or what is wrong with it
  gateway models pull smollm2                fetch the weights of a local model
"""
_NEED_A_FILE = ("serve", "check", "demo")


class Options(argparse.Namespace):
    """A command line, read. `host`, `port` and `workers` stand before what the file says."""

    command: str = "serve"
    config: str = ""
    host: str | None = None
    port: int | None = None
    workers: int | None = None
    name: str = ""


def parse(arguments: Sequence[str] | None) -> Options:
    """Return the options in `arguments`, or in this process's own.

    Exits as argparse does: with 2 if they are wrong, with 0 after `--help`.
    """
    parser = _parser()
    options = parser.parse_args(arguments, Options())
    if options.command in _NEED_A_FILE and not options.config:
        parser.error("name the configuration with --config FILE; --help shows examples")
    return options


def _parser() -> argparse.ArgumentParser:
    file, listening = _file_options(), _listening_options()
    parser = argparse.ArgumentParser(
        prog="gateway",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[file, listening],
    )
    parser.add_argument(
        "--version", action="version", version=f"gateway {version('responses-gateway')}"
    )
    commands = parser.add_subparsers(title="other commands", metavar="COMMAND")
    for name, purpose, parents in (
        ("check", "explain the configuration, or what is wrong with it", [file]),
        ("models", "list the models, or pull a local one", [file]),
        ("plugins", "list the installed plugins", [file]),
        ("demo", "serve, and ask the first model something", [file, listening]),
    ):
        command = commands.add_parser(name, help=purpose, description=purpose, parents=parents)
        command.set_defaults(command=name)
        if name == "models":
            _add_pull(command)
    return parser


def _add_pull(models: argparse.ArgumentParser) -> None:
    commands = models.add_subparsers(title="commands", metavar="COMMAND")
    pull = commands.add_parser("pull", help="fetch the files of a local model")
    pull.add_argument("name", metavar="NAME", help="such as smollm2")
    pull.set_defaults(command="pull")


def _file_options() -> argparse.ArgumentParser:
    # Suppressed: the default of a command would hide what was given before the command.
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    options.add_argument("-c", "--config", metavar="FILE", help="the configuration, a YAML file")
    return options


def _listening_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    options.add_argument("--host", help="the address to listen on, whatever the file says")
    options.add_argument(
        "--port", type=_port, metavar="N", help="the port to listen on; 0 takes any free one"
    )
    options.add_argument(
        "--workers", "--num_workers", type=_count, metavar="N", help="the number of processes"
    )
    return options


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
