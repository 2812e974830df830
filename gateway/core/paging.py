"""Which page of a list a query string asks for."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qs

from gateway.errors import InvalidRequestError, NotFoundError
from gateway.ids import is_id
from gateway.plugin.store import Page

__all__ = ["read_number", "read_page"]

_LIMIT = 20
_MOST = 100


def read_page(query: str) -> Page:
    """Return the page that `after`, `limit` and `order` say. Raises `InvalidRequestError`."""
    said = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    after = said.get("after", "")
    if after and not is_id(after):
        raise NotFoundError("there is no item of the id that after names", param="after")
    return Page(
        limit=_limit(said.get("limit", str(_LIMIT))),
        order=_order(said.get("order", "desc")),
        after=after,
    )


def read_number(query: str, name: str, *, default: int) -> int:
    """Return the whole number from 0 that `name` says. Raises `InvalidRequestError`."""
    text = parse_qs(query, keep_blank_values=True).get(name, [""])[-1]
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise InvalidRequestError(
            f"{name} must be a whole number from 0", code="invalid_value", param=name
        )
    return int(text)


def _limit(text: str) -> int:
    short = text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST))
    if not short or not 1 <= int(text) <= _MOST:
        raise InvalidRequestError(
            f"limit must be a whole number from 1 to {_MOST}", code="invalid_value", param="limit"
        )
    return int(text)


def _order(text: str) -> Literal["asc", "desc"]:
    match text:
        case "asc" | "desc":
            return text
        case _:
            raise InvalidRequestError(
                "order must be asc or desc", code="invalid_value", param="order"
            )
