"""What the contract's values are as parameters of statements, and rows as values."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from gateway.errors import NotFoundError
from gateway.plugin import Page, Record, Slice, StoredItem

__all__ = ["item_columns", "page_parameters", "read_items", "read_record", "read_slice"]

Row = Mapping[str, Any]

_KEY_BYTES = 16


def item_columns(
    tenant: str, items: Sequence[StoredItem]
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return the keys, the ids and the bodies of `items`, as `gateway.keep` wants them."""
    keys = [_key(tenant, item) for item in items]
    return keys, [item.id.encode() for item in items], [item.body for item in items]


def page_parameters(page: Page) -> tuple[bytes, bool, int]:
    """Return what `gateway.page` wants; one more than the limit, to know whether more follow."""
    return page.after.encode(), page.order == "desc", page.limit + 1


def read_items(row: Row) -> tuple[StoredItem, ...]:
    """Return the items of the arrays `ids` and `bodies`, which are null if there are none."""
    pairs = zip(row["ids"] or (), row["bodies"] or (), strict=True)
    return tuple(StoredItem(id=item_id.decode(), body=body) for item_id, body in pairs)


def read_record(row: Row) -> Record:
    """Return the response of a row that has its columns."""
    return Record(
        id=row["id"],
        tenant=row["tenant"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        status=row["status"],
        model=row["model"],
        body=row["body"],
    )


def read_slice(row: Row, page: Page) -> Slice:
    """Return what `gateway.page` found. Raises `NotFoundError` if `page.after` is not there."""
    if not row["known"]:
        raise NotFoundError(f"there is no item {page.after!r} in this list", param="after")
    items = read_items(row)
    return Slice(items=items[: page.limit], has_more=len(items) > page.limit)


def _key(tenant: str, item: StoredItem) -> bytes:
    digest = blake2b(tenant.encode(), digest_size=_KEY_BYTES)
    digest.update(b"\0")
    digest.update(item.body)
    return digest.digest()
