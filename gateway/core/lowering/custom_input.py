"""The input of a custom tool, read out of the arguments of its function while they come."""

from __future__ import annotations

import re

import msgspec

__all__ = ["CustomInput"]

_UNIT = re.compile(r'[^"\\]+|\\u[0-9a-fA-F]{4}|\\u(?=.{4})|\\[^u]', re.DOTALL)
"""Text, or one whole escape; `\\u` that no hexadecimal number follows is taken for text."""

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


class CustomInput:
    """Reads the arguments `{"input": "..."}` in pieces of any size.

    What is no such object was meant as the input itself: its text is the input.
    """

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._member = _Member()
        self._reader: _Coded | _Plain | None = None

    def feed(self, piece: str) -> str:
        """Return as much more of the input as is certain."""
        if self._reader is not None:
            return self._reader.feed(piece)
        begin = self._member.find(piece)
        if begin is not None:
            self._reader = _Coded()
            return self._reader.feed(piece[begin:])
        self._unread.append(piece)
        if not self._member.plain:
            return ""
        self._reader = _Plain()
        return "".join(self._unread)

    def close(self) -> str:
        """Return the rest of the input."""
        if self._reader is not None:
            return self._reader.close()
        return _whole("".join(self._unread))


class _Member:
    """Looks for the begin of the string that is the member `input` of an object.

    `plain` says that the text cannot be an object.
    """

    def __init__(self) -> None:
        self.plain = False
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._is_value = False
        self._key = ""

    def find(self, piece: str) -> int | None:
        """Return the place in `piece` where the string begins, None if it is not in there."""
        for place, char in enumerate(piece):
            if self._depth == 0 and char not in " \t\r\n{":
                self.plain = True
                return None
            if self._in_string:
                self._read_string(char)
            elif char == '"' and self._depth == 1 and self._is_value and self._key == "input":
                return place + 1
            else:
                self._read_structure(char)
        return None

    def _read_string(self, char: str) -> None:
        if self._escaped or char == "\\":
            self._escaped = not self._escaped
        elif char == '"':
            self._in_string = False
        if self._in_string and self._depth == 1 and not self._is_value:
            self._key += char

    def _read_structure(self, char: str) -> None:
        match char:
            case '"':
                self._in_string = True
            case "{" | "[":
                self._depth += 1
            case "}" | "]":
                self._depth -= 1
            case ":" if self._depth == 1:
                self._is_value = True
            case "," if self._depth == 1:
                self._is_value, self._key = False, ""
            case _:
                pass


class _Plain:
    """Text that is the input as it stands."""

    def feed(self, piece: str) -> str:
        return piece

    def close(self) -> str:
        return ""


class _Coded:
    """Decodes a JSON string, from behind its first quote to its last."""

    def __init__(self) -> None:
        self._rest = ""
        self._high = ""
        self._ended = False

    def feed(self, piece: str) -> str:
        if self._ended:
            return ""
        coded = self._rest + piece
        end = 0
        found: list[str] = []
        while unit := _UNIT.match(coded, end):
            found.append(_decoded(unit[0]))
            end = unit.end()
        self._rest = coded[end:]
        self._ended = self._rest.startswith('"')
        text = self._high + "".join(found)
        self._high = (
            text[-1] if text and not self._ended and "\ud800" <= text[-1] < "\udc00" else ""
        )
        return _joined(text.removesuffix(self._high) if self._high else text)

    def close(self) -> str:
        return _joined(self._high)


def _decoded(unit: str) -> str:
    if unit[0] != "\\" or unit == "\\u":
        return unit
    return chr(int(unit[2:], 16)) if unit[1] == "u" else _ESCAPES.get(unit[1], unit)


def _joined(text: str) -> str:
    """Return `text` with surrogates as the characters that they mean in pairs."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole(arguments: str) -> str:
    try:
        return msgspec.json.decode(arguments, type=dict[str, str])["input"]
    except (msgspec.DecodeError, KeyError):
        return arguments
