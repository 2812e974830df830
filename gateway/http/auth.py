"""Who is calling: from the key that a request carries to the principal whose data it may see."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Awaitable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config import ApiKeyEntry
from gateway.core.principal import Principal
from gateway.errors import AuthenticationError, RequestError

__all__ = ["Authentication", "Keyring"]

_HINT = "send the gateway's key as `Authorization: Bearer <key>`"


class Keyring:
    """The digests of the keys that are accepted, and who holds them.

    Empty: every program on this machine is let in. A browser is such a program, but the pages that
    it shows are not from here: one that asks across origins, or under a name that it has had
    resolved to this machine, is refused.
    """

    def __init__(self, keys: Iterable[ApiKeyEntry]) -> None:
        self._holders = [(key.digest, Principal(tenant=key.tenant)) for key in keys]

    def identify(self, headers: Mapping[str, str]) -> Principal:
        """Return whose key `headers` carry. Raises `AuthenticationError`, without the key."""
        if not self._holders:
            _refuse_pages(headers)
            return Principal()
        key = _presented(headers)
        if not key:
            raise _refusal(f"no API key was sent; {_HINT}")
        digest = hashlib.sha256(key.encode("latin-1")).digest()
        holder = None
        # Every entry is compared, so that the time taken says nothing about which one fits.
        for known, principal in self._holders:
            if hmac.compare_digest(known, digest):
                holder = principal
        if holder is None:
            raise _refusal(f"the API key is not one of this gateway's; {_HINT}")
        return holder


class Authentication:
    """Puts the `principal` on the state of the scope; `public` paths are for everybody."""

    def __init__(self, app: ASGIApp, keyring: Keyring, public: frozenset[str]) -> None:
        self._app = app
        self._keyring = keyring
        self._public = public

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["path"] not in self._public:
            state = scope["state"]
            state["principal"] = self._keyring.identify(state["headers"])
        return self._app(scope, receive, send)


def _presented(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("api-key", "").strip()  # how the openai SDK's Azure client says it


def _refuse_pages(headers: Mapping[str, str]) -> None:
    if _is_here(headers.get("host", "localhost")) and _is_here(headers.get("origin", "localhost")):
        return
    error = RequestError(
        "a gateway without api_keys serves only this machine, and no pages from elsewhere; add an"
        " API key to let others in",
        code="insufficient_permissions",
    )
    error.status = 403
    raise error


@lru_cache(maxsize=64)
def _is_here(address: str) -> bool:
    """Say whether `address`, an origin or a host with or without a port, is this machine's own."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
        if host == "localhost":
            return True
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def _refusal(message: str) -> AuthenticationError:
    error = AuthenticationError(message)
    error.headers = {"www-authenticate": "Bearer"}
    return error
