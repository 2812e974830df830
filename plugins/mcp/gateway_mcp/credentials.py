"""Credentials: how they are sent, and how they are kept out of what others read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar
from urllib.parse import unquote_plus, urlsplit

import msgspec

__all__ = ["bearer", "secrets_in", "silenced", "without_secrets"]

T = TypeVar("T")

_SHORTEST = 8  # characters; less might be part of any word
_LONG = 16  # characters, of which no word of a schema has so many
_SCHEME = "Bearer "
_CREDENTIAL = re.compile("(?i)key|token|secret|auth|pass|sig|cred|jwt")


def bearer(token: str) -> str:
    """Return the value of the header that carries `token`, which may begin with the scheme."""
    scheme = len(_SCHEME) if token[: len(_SCHEME)].lower() == _SCHEME.lower() else 0
    return f"{_SCHEME}{token[scheme:]}"


def secrets_in(headers: Iterable[str], url: str) -> frozenset[str]:
    """Return what is secret in the values of `headers`: each, and each without its scheme. In the
    query of `url` it is what has the name of a credential: the rest may be any word.
    """
    found = [part for value in headers for part in (value, value.rpartition(" ")[2])]
    found += _credentials_in(url)
    return frozenset(
        spelled
        for secret in found
        if len(secret) >= _SHORTEST
        for spelled in (secret, msgspec.json.encode(secret).decode()[1:-1])
    )


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    """Return `text` without those of `secrets` that a server has put into it."""
    for secret in sorted(secrets, key=len, reverse=True):  # a longer one may hold a shorter one
        text = text.replace(secret, "***")
    return text


def silenced(value: T, secrets: frozenset[str]) -> T:
    """Return `value`, which can be written as JSON, without `secrets` in any place.

    Short ones may stay: a schema may need the word.
    """
    long = frozenset(one for one in secrets if len(one) >= _LONG)
    if not long:
        return value
    encoded = msgspec.json.encode(value).decode()
    told = without_secrets(encoded, long)
    return value if told == encoded else msgspec.json.decode(told, type=type(value))


def _credentials_in(url: str) -> Iterator[str]:
    for pair in urlsplit(url).query.split("&"):
        name, _, value = pair.partition("=")
        if _CREDENTIAL.search(name):
            yield from (value, unquote_plus(value))
