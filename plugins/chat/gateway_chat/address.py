"""The address of a server, as people write it, and the URL that its chats have."""

from __future__ import annotations

from gateway_chat.quirks import Quirks

__all__ = ["completions_url"]

_PATH = "/chat/completions"
_ANYWHERE = ("", "0.0.0.0", "[::]")  # to listen on, not to call


def completions_url(base_url: str, quirks: Quirks) -> str:
    """Return the URL to send chats to; `base_url` may lack what `quirks` know of it."""
    address, mark, query = base_url.partition("?")
    if "://" not in address:
        address = _with_scheme(address, quirks.port)
    address = address.rstrip("/").removesuffix(_PATH).removesuffix(quirks.root)
    return f"{address}{quirks.root}{_PATH}{mark}{query}"


def _with_scheme(address: str, port: int) -> str:
    """Return `address`, a host as a server is told to listen on, as the one to call."""
    host, slash, path = address.partition("/")
    name, colon, number = host.rpartition(":")
    if not colon or number.endswith("]"):
        name, number = host, str(port or "")
    name = "127.0.0.1" if name in _ANYWHERE else name
    return f"http://{name}{':' if number else ''}{number}{slash}{path}"
