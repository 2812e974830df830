"""What dialects ask of content: its text, its data, and where each part of it stands."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import NamedTuple

from gateway.errors import InvalidRequestError
from gateway.types.content import (
    ContentPart,
    InputText,
    OutputText,
    ReasoningText,
    Refusal,
    SummaryText,
)
from gateway.types.items import (
    ComputerCallOutput,
    CustomToolCallOutput,
    FunctionCallOutput,
    InputItem,
    Message,
)
from gateway.types.request import Request

__all__ = [
    "Content",
    "Data",
    "Placed",
    "items_of",
    "parts_of",
    "read_base64",
    "read_data_url",
    "text_of",
]

Content = str | tuple[ContentPart, ...]

_HEADER = re.compile(r"data:([\w.+/-]+)[^,]*;base64,")
_LETTERS = f"{string.ascii_letters}{string.digits}+/".encode()


class Data(NamedTuple):
    """What a `data:` URL holds: the media type in lower case, and the base64."""

    media_type: str
    base64: str


class Placed(NamedTuple):
    """A part of the content of `item`, and its JSON path in the request."""

    part: ContentPart
    path: str
    item: InputItem


def text_of(part: ContentPart, /) -> str | None:
    """Return the text of `part`, or None if it is something else."""
    match part:
        case InputText() | OutputText() | SummaryText() | ReasoningText():
            return part.text
        case Refusal():
            return part.refusal
        case _:
            return None


def read_data_url(url: str, /) -> Data | None:
    """Return what `url` holds, or None if it is no `data:` URL.

    Raises `InvalidRequestError` if it is one without a media type, or without whole base64.
    """
    if not url.startswith("data:"):
        return None
    if not (header := _HEADER.match(url)):
        raise InvalidRequestError("a data: URL must hold base64, and say of what type")
    return Data(header[1].lower(), read_base64(url[header.end() :]))


def read_base64(text: str, /) -> str:
    """Return `text`, which is base64, as strict readers want it: padded, in one line and without
    the letters that are for URLs. Raises `InvalidRequestError` if it is broken, or empty.
    """
    letters = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    # Files have megabytes: this is faster than decoding them or a pattern.
    strange = letters.encode(errors="replace").translate(None, _LETTERS)
    if strange or not letters or len(letters) % 4 == 1:
        raise InvalidRequestError("the data is no base64, or was cut: send all of it")
    return letters + "=" * (-len(letters) % 4)


def items_of(request: Request, /) -> tuple[InputItem, ...]:
    """Return the items of `request`; input that is but a text is a message of the user's."""
    asked = request.input
    return (Message(role="user", content=asked),) if isinstance(asked, str) else asked or ()


def parts_of(request: Request, /) -> Iterator[Placed]:
    """Yield the parts of all messages and tool outputs of `request`, in their order."""
    for position, item in enumerate(items_of(request)):
        match item:
            case Message(content=tuple() as parts):
                path = f"input[{position}].content"
            case FunctionCallOutput(output=tuple() as parts):
                path = f"input[{position}].output"
            case CustomToolCallOutput(output=tuple() as parts):
                path = f"input[{position}].output"
            case ComputerCallOutput(output=screenshot):
                yield Placed(screenshot, f"input[{position}].output", item)
                continue
            case _:
                continue
        for index, part in enumerate(parts):
            yield Placed(part, f"{path}[{index}]", item)
