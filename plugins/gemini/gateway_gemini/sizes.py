"""Sizes of screens, which computer use needs: Gemini's coordinates go from 0 to 999."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO

import imagesize  # pyright: ignore[reportMissingTypeStubs] - it has no stubs
from msgspec import Struct

from gateway.plugin.content import read_data_url
from gateway.types.content import InputImage
from gateway.types.items import ComputerCallOutput, InputItem, Message
from gateway.types.request import Request
from gateway.types.tools import ComputerUsePreviewTool

__all__ = ["Size", "screen_size"]

_HEADER = 256 * 1024  # characters of base64 in which a size is looked for


class Size(Struct, frozen=True):
    """The size of an image in pixels."""

    width: int
    height: int


def screen_size(request: Request, before: Sequence[InputItem]) -> Size | None:
    """Return the size of the screen that the model saw when it was to go on after `before`.

    The tool of `request` may declare it; else it is that of the latest screenshot, or, before
    there is one, of the latest image. None if there is no telling.
    """
    for tool in request.tools or ():
        if (
            isinstance(tool, ComputerUsePreviewTool)
            and min(tool.display_width, tool.display_height) > 0
        ):
            return Size(tool.display_width, tool.display_height)
    latest = [*reversed(before)]
    shots = [item.output.image_url for item in latest if isinstance(item, ComputerCallOutput)]
    sizes = (_size_at(url or "") for url in (*shots, *_images(latest)))
    return next(filter(None, sizes), None)


def _images(items: Iterable[InputItem]) -> Iterator[str]:
    for item in items:
        if isinstance(item, Message) and not isinstance(item.content, str):
            yield from (
                part.image_url or "" for part in item.content if isinstance(part, InputImage)
            )


def _size_at(url: str) -> Size | None:
    """Return the size that the header of the image in a `data:` URL tells."""
    data = read_data_url(url)
    info = BytesIO(b64decode(data.base64[:_HEADER]) if data else b"")
    width, height = imagesize.get(info)  # pyright: ignore[reportUnknownMemberType] - as above
    return Size(width, height) if min(width, height) > 0 else None
