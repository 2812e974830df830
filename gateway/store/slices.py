"""Which part of a list a page is."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import NotFoundError
from gateway.plugin.store import Page

__all__ = ["cut"]


def cut(ids: Sequence[str], page: Page) -> tuple[range, bool]:
    """Return the positions in `ids` that `page` shows, in its order, and whether more follow.

    An id that is there twice counts as its last one in that order, so that whoever goes on after
    the last item of each page comes to an end. Raises `NotFoundError` if `page.after` is not there.
    """
    order = range(len(ids)) if page.order == "asc" else range(len(ids) - 1, -1, -1)
    start = _position(ids, order, page.after) + 1 if page.after else 0
    end = start + page.limit
    return order[start:end], end < len(ids)


def _position(ids: Sequence[str], order: range, item_id: str) -> int:
    for step in reversed(range(len(ids))):
        if ids[order[step]] == item_id:
            return step
    raise NotFoundError(f"there is no item {item_id!r} in this list", param="after")
