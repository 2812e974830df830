"""Makes an input shorter that a model refused as too long: the oldest items go first."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.counting import weight
from gateway.core.units import units_of
from gateway.types.items import InputItem

__all__ = ["shortened"]


def shortened(items: Sequence[InputItem]) -> tuple[InputItem, ...] | None:
    """Return `items` without about the older half of what can go; None if nothing can.

    A call goes with its output, and with what the model thought and said at the same time.
    """
    loose = [unit for unit in units_of(items) if not unit.stays]
    if not loose:
        return None
    weights = [weight(unit.items) for unit in loose]
    gone: set[int] = set()
    excess = sum(weights) / 2
    for unit, tokens in zip(loose, weights, strict=True):
        if excess <= 0:
            break
        gone.update(unit.positions)
        excess -= tokens
    return tuple(item for position, item in enumerate(items) if position not in gone)
