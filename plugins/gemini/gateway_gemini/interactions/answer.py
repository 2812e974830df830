"""What the steps of an answer say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import UpstreamProtocolError
from gateway.plugin import Annotation, Item, Text, Thought, ToolCall
from gateway.plugin import Delta as Said
from gateway.plugin.content import items_of
from gateway.plugin.hosted import image_call
from gateway.plugin.names import told_names
from gateway.types.request import Request
from gateway_gemini.computer import calls_on_screen, has_screen
from gateway_gemini.failures import reported_error
from gateway_gemini.interactions.citations import cite
from gateway_gemini.interactions.hosted import hosted_items
from gateway_gemini.interactions.wire import Citation, Piece
from gateway_gemini.signatures import Carrier
from gateway_gemini.tools import NAMES

__all__ = ["StepReader"]

Json = dict[str, Any]

_ITS_OWN = ("thought", "model_output", "function_call")
_ECHOES = ("user_input", "function_result", "")


class _Begun(Struct):
    """A step that has begun: as it was told, and what of it is said only at its end.

    `before` counts the characters that its message had already.
    """

    key: int
    step: Piece
    told: Json
    text: str = ""
    before: int = 0
    cited: list[Citation] = []
    arguments: str = ""


class StepReader:
    """Reads the steps of one answer to `request`, whole ones or the events of a stream.

    A thought is said with the step that has to come back. Steps of Google's own tools come back
    as they are: they are collected, until another one begins, in a reasoning item of their own.
    `spoke` says whether there was anything but thoughts. All raise `msgspec.ValidationError`.
    """

    def __init__(self, request: Request, provider: str) -> None:
        self.spoke = False
        self._request = request
        self._provider = provider
        self._begun: dict[int, _Begun] = {}
        self._hosted: list[Json] = []
        self._keys = 0
        self._latest = _Begun(key=0, step=Piece(), told={})
        self._goes_on = False
        self._names = told_names(request, NAMES)
        self._call_ids = {getattr(item, "call_id", None) for item in items_of(request)}
        self._has_screen = has_screen(request)

    def start(self, index: int, told: Json) -> Iterator[Said]:
        """Begin the step `index`, of which `told` is what there is."""
        kind = told.get("type", "")
        step = msgspec.convert(told, Piece) if kind in _ITS_OWN else Piece(type=kind)
        begun = self._begun[index] = self._begin(step, told)
        if kind not in _ITS_OWN:
            self._hosted += [told] if kind not in _ECHOES else []
            return
        yield from self._tell_hosted()
        for content in step.summary or ():
            yield from self._think(begun, content)
        for content in step.content if isinstance(step.content, tuple) else ():
            yield from self._say(begun, content)
        if kind == "function_call":
            self.spoke = True
            if not self._has_screen:
                yield ToolCall(begun.key, self._call_id(step), self._name(step))

    def add(self, index: int, told: Json) -> Iterator[Said]:
        """Read more of the step `index`. Raises `UpstreamProtocolError` if it has not begun."""
        if (begun := self._begun.get(index)) is None:
            raise UpstreamProtocolError("gemini sent more of a step that has not begun")
        if begun.step.type in _ITS_OWN:
            yield from self._add(begun, msgspec.convert(told, Piece), told)
        elif begun.step.type == told.get("type"):
            begun.told |= {name: value for name, value in told.items() if value != ""}

    def stop(self, index: int) -> Iterator[Said]:
        """End the step `index`, if it has not ended. Raises `UpstreamError` if it failed."""
        if (begun := self._begun.pop(index, None)) is None:
            return
        if begun.step.type == "thought" and begun.told.get("signature"):
            yield Thought(key=begun.key, carrier=Carrier(parts=(begun.told,)).written())
        elif begun.step.type == "function_call":
            yield from self._end_call(begun)
        yield from self._cite(begun)
        if begun.step.error:
            raise reported_error(begun.step.error, self._provider)

    def close(self) -> Iterator[Said]:
        """Say what was held back until the end."""
        for index in [*self._begun]:
            yield from self.stop(index)
        yield from self._tell_hosted()

    def pause(self) -> Iterator[Said]:
        """End an answer that another one continues: in the same message, if it was in one."""
        yield from self.close()
        self._goes_on = self._latest.step.type == "model_output"

    def _begin(self, step: Piece, told: Json) -> _Begun:
        self._keys += 1
        begun = _Begun(key=self._keys, step=step, told=told)
        if self._goes_on and step.type == "model_output":
            begun.key, begun.before = self._latest.key, self._latest.before
        self._goes_on = False
        self._latest = begun
        return begun

    def _add(self, begun: _Begun, more: Piece, told: Json) -> Iterator[Said]:
        match more:
            case Piece(type="thought_summary", content=Piece() as content):
                begun.told["summary"] = [*(begun.told.get("summary") or ()), told["content"]]
                yield from self._think(begun, content)
            case Piece(type="thought_signature", signature=str(signature)) if signature:
                begun.told["signature"] = signature
            case Piece(type="arguments_delta", arguments=str(piece)):
                begun.arguments += piece
                if not self._has_screen:
                    yield ToolCall(begun.key, arguments=piece)
            case _:
                yield from self._say(begun, more)

    def _think(self, begun: _Begun, content: Piece) -> Iterator[Said]:
        if content.text:
            yield Thought(content.text, begun.key, "summary")

    def _say(self, begun: _Begun, content: Piece) -> Iterator[Said]:
        """Say text, or show an image; the rest has no place in Responses."""
        begun.cited += content.annotations or ()
        if content.type == "text" and content.text:
            self.spoke = True
            begun.text += content.text
            yield Text(content.text, begun.key)
        elif content.type == "image" and content.data:
            self.spoke = True
            yield from self._cite(begun)
            begun.before = 0
            yield Item(image_call(content.data, content.mime_type or "image/png"))

    def _cite(self, begun: _Begun) -> Iterator[Said]:
        """Tell the sources of the text so far, which counts for itself."""
        for told in begun.cited:
            if annotation := cite(told, begun.text, begun.before):
                yield Annotation(annotation, begun.key)
        begun.before += len(begun.text)
        begun.text, begun.cited = "", []

    def _call_id(self, step: Piece) -> str | None:
        """Return the id of a call, unless an earlier one has it: Gemini's recur."""
        return None if step.id in self._call_ids else step.id

    def _name(self, step: Piece) -> str | None:
        return self._names.get(step.name or "", step.name)

    def _end_call(self, begun: _Begun) -> Iterator[Said]:
        step, arguments = begun.step, begun.arguments
        if not arguments:
            arguments = msgspec.json.encode(step.arguments or {}).decode()
        if not self._has_screen:
            if not begun.arguments:
                yield ToolCall(begun.key, arguments=arguments)
            return
        call_id = self._call_id(step)
        args = msgspec.json.decode(arguments, type=Json)
        said: Json = {"id": call_id, "name": step.name or "", "args": args}
        if actions := calls_on_screen(self._request, said, self._keys):
            yield from map(Item, actions)
        else:
            yield ToolCall(begun.key, call_id, self._name(step), arguments)

    def _tell_hosted(self) -> Iterator[Said]:
        steps, self._hosted = self._hosted, []
        if steps:
            self._keys += 1
            yield Thought(key=self._keys, carrier=Carrier(parts=tuple(steps)).written())
            yield from map(Item, hosted_items(steps, self._request.include or ()))
