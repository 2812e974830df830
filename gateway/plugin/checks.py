"""What dialects check by trying: what can be written can be honoured, and an error says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from gateway.errors import InvalidRequestError
from gateway.plugin.content import parts_of, text_of
from gateway.plugin.support import Verdict, dropped_members, rejected
from gateway.types.content import ContentPart
from gateway.types.items import Message
from gateway.types.request import Request

__all__ = ["check_parts", "try_to_write"]


def try_to_write(param: str, write: Callable[[], object]) -> Iterator[Verdict]:
    """Yield that `param` is rejected if it cannot be written: it, or what the error names."""
    try:
        write()
    except InvalidRequestError as error:
        yield rejected(param if error.param in (None, "input") else error.param, error.message)


def check_parts(
    request: Request, write: Callable[[ContentPart], object], *unheeded: str
) -> Iterator[Verdict]:
    """Yield what becomes of the parts of messages and outputs: those that `write` cannot write are
    rejected, and those of messages that are no text, unless the user's. The members `unheeded` of
    parts are dropped.
    """
    for part, path, item in parts_of(request):
        if isinstance(item, Message) and item.role != "user" and text_of(part) is None:
            yield rejected(f"{path}.type", f"the role {item.role} can only hold text")
        else:
            yield from try_to_write(f"{path}.type", partial(write, part))
        yield from dropped_members(part, path, *unheeded)
