"""The date that every answer carries."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from time import time

__all__ = ["date_header"]


def date_header() -> tuple[bytes, bytes]:
    """Return the header with the present second, which is written only once."""
    return _date(int(time()))


@lru_cache(maxsize=1)
def _date(seconds: int) -> tuple[bytes, bytes]:
    return b"date", formatdate(seconds, usegmt=True).encode("ascii")
