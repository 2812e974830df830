"""Names: what the functions are called that stand for other tools."""

from __future__ import annotations

from msgspec import Struct

from gateway.plugin.names import safe_name

__all__ = ["Origin", "flat_name"]


class Origin(Struct, frozen=True):
    """The tool that a function stands for: its type, and the name that its calls carry."""

    type: str
    name: str
    namespace: str | None = None


def flat_name(name: str, namespace: str | None) -> str:
    """Return the one name for `name` in `namespace`, which all upstreams allow."""
    if not namespace:
        return name
    return safe_name(f"{namespace}__{name}")
