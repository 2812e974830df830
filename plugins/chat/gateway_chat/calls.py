"""Calls of functions and custom tools, put together from the pieces that servers send."""

from __future__ import annotations

import msgspec

from gateway.plugin import CustomCall, ToolCall
from gateway_chat.wire import CallPiece, CustomPiece, FunctionPiece

__all__ = ["CallReader"]

Said = FunctionPiece | CustomPiece


class _Call:
    """A call on its way. It is held back until its arguments begin: so long its name may grow."""

    __slots__ = ("custom", "id", "key", "name", "pieces", "said")

    def __init__(self, key: int, *, custom: bool) -> None:
        self.key = key
        self.custom = custom
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.said = False

    def add(self, piece: CallPiece, said: Said, text: str) -> ToolCall | CustomCall | None:
        self.id = self.id or piece.id or ""
        if said.name and said.name != self.name and not self.said:
            self.name += said.name
        if not text:
            return None
        self.pieces.append(text)
        if not self.said:
            return self.say()
        if self.custom:
            return CustomCall(self.key, input=text)
        return ToolCall(self.key, arguments=text)

    def say(self) -> ToolCall | CustomCall:
        self.said = True
        kind = CustomCall if self.custom else ToolCall
        return kind(self.key, self.id or None, self.name, "".join(self.pieces))

    @property
    def whole(self) -> bool:
        """Whether the arguments so far are a JSON object."""
        if not self.pieces or not self.pieces[-1].rstrip().endswith("}"):
            return False
        try:
            return isinstance(msgspec.json.decode("".join(self.pieces)), dict)
        except (ValueError, RecursionError):
            return False


class CallReader:
    """Tells the calls of one answer apart, by index, by id, or by what their pieces say.

    Servers number calls from 0, number all of them 0, or do not number them; they send an id once,
    each time or never; a name once, each time or in pieces; arguments in pieces or as a whole.
    """

    def __init__(self) -> None:
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._latest: _Call | None = None
        self._count = 0

    @property
    def began(self) -> bool:
        """Whether there is a call at all."""
        return self._count > 0

    def read(self, pieces: tuple[CallPiece, ...]) -> list[ToolCall | CustomCall]:
        """Return what `pieces`, the list of one chunk or of a whole message, say."""
        deltas: list[ToolCall | CustomCall] = []
        for position, piece in enumerate(pieces):
            said = piece.function or piece.custom
            if said is None:
                continue
            text = _text(said)
            call = self._find(piece, said, position)
            if call is None or _begins_another(call, piece, said, text):
                deltas += self.flush()
                call = self._begin(piece)
            if delta := call.add(piece, said, text):
                deltas.append(delta)
        return deltas

    def flush(self) -> list[ToolCall | CustomCall]:
        """Return the call that has a name and, so far, no arguments."""
        call = self._latest
        return [call.say()] if call and call.name and not call.said else []

    def _find(self, piece: CallPiece, said: Said, position: int) -> _Call | None:
        """Return the call that `piece` may be more of; what names itself may be another."""
        if piece.index is not None:
            if call := self._by_index.get(piece.index):
                return call
            return None if said.name or piece.id else self._latest
        if piece.id and (call := self._by_id.get(piece.id)):
            return call
        return None if said.name and position > 0 else self._latest

    def _begin(self, piece: CallPiece) -> _Call:
        call = self._latest = _Call(self._count, custom=not piece.function)
        self._count += 1
        if piece.index is not None:
            self._by_index[piece.index] = call
        if piece.id:
            self._by_id[piece.id] = call
        return call


def _begins_another(call: _Call, piece: CallPiece, said: Said, text: str) -> bool:
    if not said.name:
        return False
    same_id = piece.id == call.id
    if (piece.id and call.id and not same_id) or call.custom != isinstance(said, CustomPiece):
        return True
    if said.name != call.name:
        return call.said or (piece.index is None and not same_id)
    return bool(text.strip()) and call.whole


def _text(said: Said) -> str:
    if isinstance(said, CustomPiece):
        return said.input or ""
    match said.arguments:
        case str() as text:
            return text
        case dict() as value if value:
            return msgspec.json.encode(value).decode()
        case _:
            return ""
