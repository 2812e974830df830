"""The provider contract: a vendor or server that the gateway can call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from gateway.plugin.deployment import Deployment
from gateway.plugin.dialect import Dialect, NativeDialect, UpstreamRequest
from gateway.plugin.transport import Transport

__all__ = [
    "ApiKey",
    "Credentials",
    "Download",
    "Grant",
    "Granted",
    "NoKey",
    "Progress",
    "Provider",
    "Setting",
    "key_of",
]


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


class Grant(Struct, frozen=True, kw_only=True):
    """What authenticates requests for a while.

    `sign(request)` returns the headers to add, which replace those of the same name; it only
    computes, for each attempt anew. `expires_at` is in Unix seconds, None if it lasts.
    """

    sign: Callable[[UpstreamRequest], Mapping[str, str]]
    expires_at: float | None = None


class Granted(Struct, frozen=True, kw_only=True):
    """Credentials that have to be fetched, and that expire.

    `fetch(deployment)` blocks, for some seconds at most; it is run in a thread, ahead of the end of
    the last grant, and once for all requests that wait for it. It raises
    `UpstreamAuthenticationError`. A deployment that has a key sends that, as `key` says, and
    nothing is fetched.
    """

    fetch: Callable[[Deployment], Grant]
    key: ApiKey = ApiKey(required=False)


Credentials = ApiKey | NoKey | Granted


class Setting(Struct, frozen=True, kw_only=True):
    """Something that an operator may say of a deployment, such as a region.

    `env` names the environment variables that may hold it, first found wins.
    """

    env: tuple[str, ...] = ()
    default: str = ""
    secret: bool = False


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
    configure it, and a function if it follows from the settings (it raises `ConfigError` for want
    of one); `base_url_env` names environment variables that override it. `settings` are what the
    operator may say besides, by the names that `litellm_params` has for it. `quirks` are the
    table-driven differences that the dialect reads. `models` are names worth listing; any other
    name is passed on as well. `api` is the contract's version.
    """

    name: str
    dialect: Dialect | NativeDialect | str
    base_url: str | Callable[[Mapping[str, str]], str] = ""
    base_url_env: tuple[str, ...] = ()
    credentials: Credentials = NoKey()
    settings: Mapping[str, Setting] = {}
    quirks: Mapping[str, Any] = {}
    models: tuple[str, ...] = ()
    downloads: tuple[Download, ...] = ()
    launch: Callable[[Deployment], AbstractAsyncContextManager[str]] | None = None
    """For a provider that owns a process: enter to start it, get its base URL; leave to stop it."""
    transport: Callable[[Deployment], Transport] | None = None
    """For a backend that is not HTTP; the default is the core's own."""
    api: Literal[1] = 1


def key_of(provider: Provider) -> ApiKey | None:
    """Return how a key goes to `provider`, if it can take one."""
    match provider.credentials:
        case ApiKey() as key:
            return key
        case Granted(key=key):
            return key
        case NoKey():
            return None
