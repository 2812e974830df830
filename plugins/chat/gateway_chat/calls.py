"""Function calls, put together from the pieces of them that servers send."""

from __future__ import annotations

import msgspec

from gateway.plugin import ToolCall
from gateway_chat.wire import CallPiece, FunctionPiece

__all__ = ["CallReader"]


class _Call:
    """A call on its way. It is held back until its arguments begin: so long its name may grow."""

    __slots__ = ("id", "key", "name", "pieces", "said")

    def __init__(self, key: int) -> None:
        self.key = key
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.said = False

    def add(self, piece: CallPiece, function: FunctionPiece, arguments: str) -> ToolCall | None:
        self.id = self.id or piece.id or ""
        if function.name and function.name != self.name and not self.said:
            self.name += function.name
        if not arguments:
            return None
        self.pieces.append(arguments)
        if self.said:
            return ToolCall(self.key, arguments=arguments)
        return self.say()

    def say(self) -> ToolCall:
        self.said = True
        return ToolCall(self.key, self.id or None, self.name, "".join(self.pieces))


class CallReader:
    """Tells the calls of one answer apart, by index, by id, or by what their pieces say.

    Servers number calls from 0, number all of them 0, or do not number them; they send an id once,
    each time or never; a name once, each time or in pieces; arguments in pieces or as a whole.
    """

    def __init__(self) -> None:
        self._by_index: dict[int, _Call] = {}
        self._latest: _Call | None = None
        self._count = 0

    def read(self, pieces: tuple[CallPiece, ...]) -> list[ToolCall]:
        """Return what `pieces`, the list of one chunk or of a whole message, say."""
        deltas: list[ToolCall] = []
        for position, piece in enumerate(pieces):
            if (function := piece.function) is None:
                continue
            arguments = _text(function)
            call = self._find(piece, position)
            if call is None or _begins_another(call, piece, function, arguments):
                deltas += self.flush()
                call = self._begin(piece)
            if delta := call.add(piece, function, arguments):
                deltas.append(delta)
        return deltas

    def read_legacy(self, function: FunctionPiece) -> list[ToolCall]:
        """Return what `function_call` says, of which there is one in an answer."""
        return self.read((CallPiece(index=0, function=function),))

    def flush(self) -> list[ToolCall]:
        """Return the call that has a name and, so far, no arguments."""
        call = self._latest
        return [call.say()] if call and call.name and not call.said else []

    def _find(self, piece: CallPiece, position: int) -> _Call | None:
        if piece.index is not None:
            return self._by_index.get(piece.index)
        return self._latest if position == 0 else None

    def _begin(self, piece: CallPiece) -> _Call:
        call = self._latest = _Call(self._count)
        self._count += 1
        if piece.index is not None:
            self._by_index[piece.index] = call
        return call


def _begins_another(call: _Call, piece: CallPiece, function: FunctionPiece, arguments: str) -> bool:
    if not function.name:
        return False
    if piece.id and call.id:
        return piece.id != call.id
    if function.name != call.name:
        return call.said or piece.index is None
    return bool(arguments.strip()) and _is_whole("".join(call.pieces))


def _text(function: FunctionPiece) -> str:
    match function.arguments:
        case str() as text:
            return text
        case dict() as value if value:
            return msgspec.json.encode(value).decode()
        case _:
            return ""


def _is_whole(arguments: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except msgspec.DecodeError:
        return False
