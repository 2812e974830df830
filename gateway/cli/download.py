"""`gateway models pull`: fetch the files of a local model, and show how far they are."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from gateway.errors import ConfigError, GatewayError
from gateway.plugin import Download, Provider

__all__ = ["ProgressBar", "downloads", "pull"]

_MEGABYTE = 1_000_000
_WIDTH = 30


class ProgressBar:
    """Draws how far a download is, on a terminal only: a log file gets nothing."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._enabled = terminal.isatty()
        self._drawn = ""

    def __call__(self, done: int, total: int) -> None:
        text = _bar(done, total)
        if self._enabled and text != self._drawn:
            self._terminal.write(f"\r{text}")
            self._terminal.flush()
            self._drawn = text

    def end(self) -> None:
        """Leave the line, if there is one."""
        if self._drawn:
            self._terminal.write("\n")


def downloads(providers: Mapping[str, Provider]) -> dict[str, Download]:
    """Return what the providers can fetch, by `provider/name`."""
    return {
        f"{provider.name}/{download.name}": download
        for provider in providers.values()
        for download in provider.downloads
    }


def pull(name: str, providers: Mapping[str, Provider], directory: Path) -> None:
    """Fetch the download called `name`, or `provider/name`, into `directory` and say where it is.

    Raises `ConfigError` if nobody offers it and `GatewayError` if it cannot be fetched.
    """
    download = _find(name, downloads(providers))
    print(f"{download.summary} ({download.licence})")
    bar = ProgressBar(sys.stderr)
    try:
        path = download.fetch(directory, bar)
    except OSError as error:
        raise GatewayError(f"cannot write into {directory}: {error.strerror}") from error
    finally:
        bar.end()
    print(path)


def _find(name: str, offers: Mapping[str, Download]) -> Download:
    for full_name, download in offers.items():
        if name in (full_name, download.name):
            return download
    known = f"known are {', '.join(offers)}" if offers else "no installed plugin offers any"
    raise ConfigError(f"no model called {name!r} can be pulled; {known}")


def _bar(done: int, total: int) -> str:
    if total <= 0:
        return f"{done / _MEGABYTE:.1f} MB"
    share = min(done / total, 1.0)
    filled = round(share * _WIDTH)
    megabytes = f"{done / _MEGABYTE:.1f} of {total / _MEGABYTE:.1f} MB"
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%}  {megabytes}"
