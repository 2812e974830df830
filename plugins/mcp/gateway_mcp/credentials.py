"""Credentials: how they are sent, and how they are kept out of what others read."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["bearer", "secrets_in", "without_secrets"]

_SHORTEST = 8  # characters; less might be part of any word
_SCHEME = "Bearer "


def bearer(token: str) -> str:
    """Return the value of the header that carries `token`, which may begin with the scheme."""
    scheme = len(_SCHEME) if token[: len(_SCHEME)].lower() == _SCHEME.lower() else 0
    return f"{_SCHEME}{token[scheme:]}"


def secrets_in(values: Iterable[str]) -> frozenset[str]:
    """Return what is secret in the values of headers: each, and each without its scheme."""
    found = [part for value in values for part in (value, value.rpartition(" ")[2])]
    return frozenset(part for part in found if len(part) >= _SHORTEST)


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    """Return `text` without those of `secrets` that a server has put into it."""
    for secret in sorted(secrets, key=len, reverse=True):  # a longer one may hold a shorter one
        text = text.replace(secret, "***")
    return text
