"""Sizes of screens, which computer use needs: Gemini's coordinates go from 0 to 999."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from msgspec import Struct

from gateway.types.content import InputImage
from gateway.types.items import ComputerCallOutput, InputItem, Message
from gateway.types.request import Request
from gateway.types.tools import ComputerUsePreviewTool
from gateway.types.wire import Omittable

__all__ = ["Size", "image_size", "screen_size", "split_data_url"]

_DATA_URL = re.compile(r"data:([\w.+/-]+)[^,]*;base64,")
_HEADER = 256 * 1024  # characters of base64 in which a size is looked for
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG markers that tell the size


class Size(Struct, frozen=True):
    """The size of an image in pixels."""

    width: int
    height: int


def split_data_url(url: str) -> tuple[str, str] | None:
    """Return the media type and the base64 of a `data:` URL; None if `url` is another one."""
    header = _DATA_URL.match(url)
    return (header[1].lower(), url[header.end() :]) if header else None


def screen_size(request: Request, before: Sequence[InputItem]) -> Size | None:
    """Return the size of the screen that the model saw when it was to go on after `before`.

    The tool of `request` may declare it; else it is that of the latest screenshot, or, before
    there is one, of the latest image. None if there is no telling.
    """
    for tool in request.tools or ():
        if isinstance(tool, ComputerUsePreviewTool):
            return Size(tool.display_width, tool.display_height)
    items = [*reversed(before)]
    shots = [item.output.image_url for item in items if isinstance(item, ComputerCallOutput)]
    return next(filter(None, map(_size_at, chain(shots, _images(items)))), None)


def image_size(data: bytes) -> Size | None:
    """Return the size that the header of a PNG, JPEG or WebP file tells, if it is whole."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return Size(_number(data, 16, 4), _number(data, 20, 4))
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_size(data)
    return None


def _images(items: Iterable[InputItem]) -> Iterator[Omittable[str]]:
    for item in items:
        if isinstance(item, Message) and not isinstance(item.content, str):
            yield from (part.image_url for part in item.content if isinstance(part, InputImage))


def _size_at(url: Omittable[str]) -> Size | None:
    found = split_data_url(url or "")
    try:
        return image_size(b64decode(found[1][:_HEADER])) if found else None
    except binascii.Error:
        return None


def _number(data: bytes, start: int, length: int) -> int:
    return int.from_bytes(data[start : start + length], "big")


def _jpeg_size(data: bytes) -> Size | None:
    start = 2
    while start + 9 <= len(data) and data[start] == 0xFF:
        if data[start + 1] in _FRAMES:
            return Size(_number(data, start + 7, 2), _number(data, start + 5, 2))
        start += 2 + _number(data, start + 2, 2)
    return None


def _webp_size(data: bytes) -> Size | None:
    match data[12:16]:
        case b"VP8 ":
            bits = int.from_bytes(data[26:30], "little")
            return Size(bits & 0x3FFF, bits >> 16 & 0x3FFF)
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X":
            bits = int.from_bytes(data[24:30], "little")
            return Size((bits & 0xFFFFFF) + 1, (bits >> 24) + 1)
        case _:
            return None
