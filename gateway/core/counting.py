"""How many tokens an input has, by a rule of thumb, for upstreams that do not count.

The rule is documented for operators in docs/compatibility.md: the UTF-8 bytes of all text, divided
by four, and a constant for each item, tool and attachment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from msgspec import Struct

from gateway.types.content import ComputerScreenshot, InputAudio, InputFile, InputImage
from gateway.types.items import InputItem
from gateway.types.parameters import JsonSchemaFormat
from gateway.types.request import Request
from gateway.types.wire import encode

__all__ = ["PER_ATTACHMENT", "PER_ITEM", "PER_TOOL", "estimate", "weight"]

BYTES_PER_TOKEN = 4
PER_ITEM = 4
PER_TOOL = 8
PER_ATTACHMENT = 1000
"""An image, a file or a recording, whatever its size: base64 says little of what it costs."""

_ATTACHMENTS = (InputImage, InputFile, InputAudio, ComputerScreenshot)
_SILENT = frozenset(
    {"annotations", "call_id", "detail", "encrypted_content", "id", "logprobs", "status", "type"}
)
"""Members that no model reads."""


def estimate(request: Request) -> int:
    """Return about how many input tokens `request` has, as a dialect gets it."""
    tools = request.tools or ()
    size = len((request.instructions or "").encode())
    size += sum(len(encode(tool)) for tool in tools)
    if request.text and isinstance(request.text.format, JsonSchemaFormat):
        size += len(encode(request.text.format.schema))
    tokens = _tokens(size) + PER_TOOL * len(tools)
    if isinstance(request.input, str):
        return tokens + PER_ITEM + _tokens(len(request.input.encode()))
    return tokens + weight(request.input or ())


def weight(items: Iterable[InputItem]) -> int:
    """Return about how many tokens `items` have."""
    size, attachments, number = 0, 0, 0
    for item in items:
        found = _measure(item)
        size, attachments, number = size + found[0], attachments + found[1], number + 1
    return _tokens(size) + PER_ATTACHMENT * attachments + PER_ITEM * number


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


def _measure(value: object) -> tuple[int, int]:
    """Return the bytes of text in `value`, and the number of attachments."""
    if isinstance(value, str):
        return len(value.encode()), 0
    if isinstance(value, _ATTACHMENTS):
        return 0, 1
    parts = [_measure(part) for part in _parts(value)]
    return sum(size for size, _ in parts), sum(number for _, number in parts)


def _parts(value: object) -> Iterable[object]:
    match value:
        case Struct():
            names = (name for name in value.__struct_fields__ if name not in _SILENT)
            return [getattr(value, name) for name in names]
        case dict():
            members = cast("dict[str, Any]", value)
            return [member for name, member in members.items() if name not in _SILENT]
        case list() | tuple():
            return cast("Iterable[object]", value)
        case _:
            return ()
