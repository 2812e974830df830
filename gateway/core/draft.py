"""What of a request goes to a model, and how the model's answer is read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gateway.core.truncation import shortened
from gateway.errors import UpstreamRejectedError
from gateway.plugin.dialect import Translator
from gateway.types.items import InputItem, OutputItem
from gateway.types.request import Request

__all__ = ["Draft", "Items", "fitted"]

T = TypeVar("T")
Items = tuple[InputItem, ...]

_TOO_LONG = "context_length_exceeded"
_SHORTENINGS = 2
_ITEM = re.compile(r"input\[(\d+)\]")


def _as_it_is(translator: Translator) -> Translator:
    return translator


class Draft(Struct, frozen=True, kw_only=True):
    """One call of a model that is to be made: `write` makes its request out of `items`, `read`
    wraps the translator of its answer.

    `shrinks` says that items may go if there are too many, `aside` that the client does not see
    the answer. `appendix` makes an item out of the output, which is told at its end. `locate`
    says what a path of the request that was written is in the one that was asked.
    """

    items: Items
    write: Callable[[Items], Request]
    read: Callable[[Translator], Translator] = _as_it_is
    appendix: Callable[[tuple[OutputItem, ...]], OutputItem] | None = None
    locate: Callable[[str], str] = str
    shrinks: bool = False
    aside: bool = False

    @property
    def request(self) -> Request:
        return self.write(self.items)

    def param(self, path: str, asked: Items) -> str:
        """Return where what is at `path` of the request stands among the items that were asked."""
        path = self.locate(path)
        found = _ITEM.match(path)
        if found is None or asked is self.items:
            return path
        item = self.items[int(found[1])] if int(found[1]) < len(self.items) else None
        positions = (position for position, known in enumerate(asked) if known is item)
        position = next(positions, None)
        return "input" if position is None else f"input[{position}]{path[found.end() :]}"


async def fitted(draft: Draft, ask: Callable[[Draft], Awaitable[T]]) -> T:
    """Return what `ask` makes of `draft`, or of a shorter one if the model cannot read so much.

    Raises what `ask` raises.
    """
    for _ in range(_SHORTENINGS):
        try:
            return await ask(draft)
        except UpstreamRejectedError as error:
            items = shortened(draft.items) if _can_shrink(draft, error) else None
            if items is None:
                raise
            draft = replace(draft, items=items)
    return await ask(draft)


def _can_shrink(draft: Draft, error: UpstreamRejectedError) -> bool:
    return draft.shrinks and error.code == _TOO_LONG
