"""Reads the JSON text of a model that constrained.py holds to a schema: messages and calls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from gateway.plugin import Delta, Finished, Frame, Logprobs, Text, ToolCall, Translator

__all__ = ["ConstrainedTranslator"]


class ConstrainedTranslator:
    """Turns the JSON text that `inner` reads into calls and messages."""

    def __init__(self, inner: Translator) -> None:
        self._inner = inner
        self._reader = AnswerReader()

    def feed(self, frame: Frame, /) -> list[Delta]:
        deltas: list[Delta] = []
        for delta in self._inner.feed(frame):
            match delta:
                case Text():
                    deltas += self._reader.feed(delta.text)
                case Logprobs():
                    pass  # of JSON that nobody sees
                case Finished():
                    deltas += [*self._reader.close(), delta]
                case _:
                    deltas.append(delta)
        return deltas


class _Answer(Struct, frozen=True, kw_only=True):
    name: str = ""
    arguments: Raw = Raw(b"{}")
    message: Raw = Raw()


_decode_answer = msgspec.json.Decoder(_Answer).decode

_MESSAGE = re.compile(r'\s*\{\s*"message"\s*:\s*"')
_BEFORE_CALL = re.compile(r"[\s\[,]*(?=\{)")
_CUT_CALL = re.compile(r'[\s\[,]*\{\s*"name"\s*:\s*"([^"\\]*)"\s*,\s*"arguments"\s*:\s*')
_read_value = json.JSONDecoder().raw_decode  # unlike msgspec it tells where a value ends
_WHOLE_CHARACTERS = re.compile(
    r'(?:[^"\\\x00-\x1f]+|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*"
)


class AnswerReader:
    """Reads `{"message": ...}` while it comes, and calls, alone or in a list, as each ends.

    A call that repeats one of the same answer is left out: small models go on so without end.
    """

    def __init__(self) -> None:
        self._held = ""
        self._in_message = False
        self._calls: list[object] = []

    def feed(self, text: str) -> list[Delta]:
        self._held += text
        if not self._in_message and (opening := _MESSAGE.match(self._held)):
            self._in_message = True
            self._held = self._held[opening.end() :]
        if self._in_message:
            return self._read_message()
        return list(self._read_calls()) if "}" in text else []

    def close(self) -> list[Delta]:
        """Return what the rest says, or what was cut says so far."""
        held, self._held = self._held, ""
        if self._in_message or not held.strip():
            return []
        if call := _CUT_CALL.match(held):
            return [ToolCall(len(self._calls), None, call[1], held[call.end() :])]
        if self._calls:
            return []
        try:
            return [Text(_text(_decode_answer(held.encode()).message) or held)]
        except (ValueError, RecursionError):
            return [] if held.lstrip().startswith("{") else [Text(held)]

    def _read_calls(self) -> Iterator[Delta]:
        """Take the calls that are there in full out of what is held."""
        while start := _BEFORE_CALL.match(self._held):
            try:
                call, end = _read_value(self._held, start.end())
                answer = _decode_answer(self._held[start.end() : end].encode())
            except (ValueError, RecursionError):
                return
            if not answer.name:
                return
            self._held = self._held[end:]
            if call not in self._calls:
                yield ToolCall(len(self._calls), None, answer.name, _text(answer.arguments))
                self._calls.append(call)

    def _read_message(self) -> list[Delta]:
        """Decode the characters of the string that are there in full, up to its closing quote."""
        match = _WHOLE_CHARACTERS.match(self._held)
        characters = match[0] if match else ""
        if not characters:
            return []
        self._held = self._held[len(characters) :]
        return [Text(msgspec.json.decode(f'"{characters}"', type=str))]


def _text(value: Raw) -> str:
    return bytes(value).decode()
