"""The settings of the operator, `tools.runners.searxng`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from gateway.errors import ConfigError
from gateway.plugin import Config, Secret

__all__ = ["Settings", "read_settings"]

_PATH = "tools.runners.searxng"
_KEYS = {"url", "api_key", "results"}
_URL = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")
_HEADER = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
_MOST_RESULTS = 20
_RESULTS = 5


class Settings(Struct, frozen=True, kw_only=True):
    """Where SearXNG is, the credential of what stands before it, if anything does, and how many
    results a search of medium size gives.
    """

    url: str
    api_key: Secret = Secret("")
    results: int = _RESULTS


def read_settings(config: Config) -> Settings | None:
    """Return the settings, or None if there are none. Raises `ConfigError`."""
    given = config.tools.runners.get("searxng")
    if given is None:
        return None
    if unknown := sorted(given.keys() - _KEYS):
        raise ConfigError(f"{_PATH}.{unknown[0]}: unknown key; known are api_key, results, url")
    return Settings(url=_url(given), api_key=_api_key(given), results=_results(given))


def _url(given: Mapping[str, Secret]) -> str:
    url = given["url"].reveal() if "url" in given else ""
    if not _URL.fullmatch(url):
        raise ConfigError(
            f"{_PATH}.url: write the whole address of SearXNG, such as http://127.0.0.1:8888,"
            " without user or password"
        )
    return url.rstrip("/")


def _api_key(given: Mapping[str, Secret]) -> Secret:
    key = given.get("api_key", Secret(""))
    if key and not _HEADER.fullmatch(key.reveal()):
        raise ConfigError(f"{_PATH}.api_key: it cannot be sent; take line breaks and the like out")
    return key


def _results(given: Mapping[str, Secret]) -> int:
    text = given["results"].reveal() if "results" in given else str(_RESULTS)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_RESULTS):
        raise ConfigError(f"{_PATH}.results: write a number from 1 to {_MOST_RESULTS}, in quotes")
    return int(text)
