"""Quirks: what an operator says of one deployment, on top of what is known of its model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from gateway.errors import ConfigError
from gateway.plugin.deployment import Deployment

__all__ = ["NEWEST", "Version", "read_quirks", "version_in"]

Version = tuple[int, int]
NEWEST: Version = (99, 0)
"""Stands for models whose version nobody knows."""

Quirks = TypeVar("Quirks", bound=Struct)


def read_quirks(
    deployment: Deployment, kind: type[Quirks], known: Mapping[str, Any] = {}, /
) -> Quirks:
    """Return the quirks of `deployment` as a `kind`, which what is `known` completes.

    Raises `ConfigError` if one is unknown or ill-typed.
    """
    try:
        return msgspec.convert({**known, **deployment.quirks}, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        raise ConfigError(
            f"the quirks of {deployment.alias!r} cannot be used: {message[:1].lower()}{message[1:]}"
        ) from error


def version_in(model: str, pattern: re.Pattern[str], /) -> Version:
    """Return the version that stands in the name `model`: what the two groups of `pattern` find, of
    which the second may be missing; `NEWEST` if there is none.
    """
    found = pattern.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else NEWEST
