"""Tells the gateway's own compactions to upstreams that speak Responses, but cannot read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from gateway.core.compaction.summary import Summaries
from gateway.core.compaction.window import unfold
from gateway.ids import SUMMARY_PREFIX
from gateway.types.items import Compaction, InputItem, Reasoning
from gateway.types.open import Unknown, decode_hook
from gateway.types.wire import encode

__all__ = ["may_hold_summaries", "told_to_natives"]

_MARK = f'"{SUMMARY_PREFIX}'.encode()
_decode_items = msgspec.json.Decoder(tuple[InputItem, ...], dec_hook=decode_hook).decode


def may_hold_summaries(body: bytes) -> bool:
    """Say whether it is worth looking for compactions in `body`."""
    return _MARK in body


def told_to_natives(items: bytes, summaries: Summaries) -> bytes:
    """Return `items`, JSON, with the last compaction that was made here in words.

    Compactions of an upstream's own stay: it can read them. Raises `InvalidRequestError` for one
    that is another tenant's.
    """
    try:
        decoded = _decode_items(items)
    except msgspec.DecodeError:
        return items  # no list of items: the upstream's to judge
    ours = [position for position, item in enumerate(decoded) if _is_ours(item)]
    if not ours:
        return items
    before, after = decoded[: ours[-1] + 1], decoded[ours[-1] + 1 :]
    return encode((*_told_anew(unfold(before, summaries), before), *after))


def _told_anew(items: Iterable[InputItem], sent: Iterable[InputItem]) -> Iterator[InputItem]:
    """Yield `items`; those that were not `sent` go without what only their maker knows."""
    known = {id(item) for item in sent}
    for item in items:
        if id(item) in known or isinstance(item, Unknown):
            yield item
        elif not isinstance(item, Reasoning):
            yield replace(item, id=UNSET)


def _is_ours(item: InputItem) -> bool:
    return isinstance(item, Compaction) and item.encrypted_content.startswith(SUMMARY_PREFIX)
