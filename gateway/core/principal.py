"""Who is calling."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["DEFAULT_TENANT", "Principal"]

DEFAULT_TENANT = "default"
"""The one tenant of an open gateway and of the SDK."""


class Principal(Struct, frozen=True, kw_only=True):
    """The caller of a request; `tenant` is whose data it may see."""

    tenant: str = DEFAULT_TENANT
