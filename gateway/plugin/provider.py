"""The provider contract: a vendor or server that the gateway can call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Dialect, NativeDialect
from gateway.plugin.transport import Transport

__all__ = ["ApiKey", "Credentials", "Download", "NoKey", "Progress", "Provider"]


class ApiKey(Struct, frozen=True, kw_only=True):
    """A key sent in one header; `env` names the environment variables that may hold it, first
    found wins.
    """

    env: tuple[str, ...] = ()
    header: str = "authorization"
    prefix: str = "Bearer "
    required: bool = True


class NoKey(Struct, frozen=True, kw_only=True):
    """Nothing to send: a server of one's own."""


Credentials = ApiKey | NoKey

Progress = Callable[[int, int], None]
"""Called with the bytes so far and the bytes in all (0 if unknown) while a download runs."""


class Download(Struct, frozen=True, kw_only=True):
    """Model files that a provider can fetch: `gateway models pull NAME`.

    `fetch(directory, progress)` puts the verified file into `directory` and returns its path; it
    blocks, so it is run in a thread or from the command line. A partial or corrupt file never
    lands in `directory`.
    """

    name: str
    summary: str
    licence: str
    fetch: Callable[[Path, Progress], Path]


class Provider(Struct, frozen=True, kw_only=True):
    """A vendor or server, offered by the hook `gateway_providers`.

    `name` is the prefix in `groq/llama-3.3-70b`. `dialect` is the wire format, or the name of
    one that another installed plugin brings. `base_url` may be empty if the operator must
    configure it; `base_url_env` names environment variables that override it. `quirks` are the
    table-driven differences that the dialect reads. `models` are names worth listing; any other
    name is passed on as well. `api` is the contract's version.
    """

    name: str
    dialect: Dialect | NativeDialect | str
    base_url: str = ""
    base_url_env: tuple[str, ...] = ()
    credentials: Credentials = NoKey()
    quirks: Mapping[str, Any] = {}
    models: tuple[str, ...] = ()
    downloads: tuple[Download, ...] = ()
    launch: Callable[[Deployment], AbstractAsyncContextManager[str]] | None = None
    """For a provider that owns a process: enter to start it, get its base URL; leave to stop it."""
    transport: Callable[[Deployment], Transport] | None = None
    """For a backend that is not HTTP; the default is the core's own."""
    api: Literal[1] = 1
