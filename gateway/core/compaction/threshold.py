"""When a request wants its input compacted on the way: `context_management`."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import InvalidRequestError
from gateway.types.request import ContextManagement

__all__ = ["threshold_of"]

_PARAM = "context_management"


def threshold_of(wishes: Iterable[ContextManagement] | None) -> int | None:
    """Return above how many input tokens the input is to be compacted, None if never.

    Raises `InvalidRequestError` for a wish that is not to be understood.
    """
    thresholds: list[int] = []
    for position, wish in enumerate(wishes or ()):
        if wish.type not in (None, "compaction"):
            raise InvalidRequestError(
                f"{_PARAM}[{position}].type {wish.type!r} is not known, use 'compaction'",
                code="invalid_value",
                param=f"{_PARAM}[{position}].type",
            )
        if not wish.compact_threshold or wish.compact_threshold < 0:
            raise InvalidRequestError(
                f"{_PARAM}[{position}].compact_threshold must be a number of tokens:"
                " the gateway does not know how much the model can read",
                code="missing_required_parameter",
                param=f"{_PARAM}[{position}].compact_threshold",
            )
        thresholds.append(wish.compact_threshold)
    return min(thresholds, default=None)
