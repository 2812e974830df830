"""What the steps of an answer say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import UpstreamProtocolError
from gateway.plugin import Annotation, Delta, Item, Text, Thought, ToolCall
from gateway.types.items import ComputerCall, ImageGenerationCall
from gateway.types.request import Request
from gateway.types.tools import ComputerTool, ComputerUsePreviewTool
from gateway_gemini.computer import computer_calls
from gateway_gemini.failures import reported_error
from gateway_gemini.interactions.citations import cite
from gateway_gemini.interactions.hosted import items_of
from gateway_gemini.signatures import Carrier
from gateway_gemini.sizes import screen_size

__all__ = ["StepReader"]

Json = dict[str, Any]

_ITS_OWN = ("thought", "model_output", "function_call")
_ECHOES = ("user_input", "function_result")
_Computer = ComputerTool | ComputerUsePreviewTool


class _Step(Struct):
    """A step that has begun: as it stands so far, and what of it is told only at its end.

    `before` counts the characters that its message had already.
    """

    key: int
    told: Json
    text: str = ""
    before: int = 0
    cited: list[Json] = []
    arguments: str = ""


class StepReader:
    """Reads the steps of one answer to `request`, whole ones or the events of a stream.

    A thought is told with the step that has to come back. Steps of Google's own tools come back
    as they are: they are collected, until another one begins, in a reasoning item of their own.
    `spoke` says whether there was anything but thoughts.
    """

    def __init__(self, request: Request, provider: str) -> None:
        self.spoke = False
        self._request = request
        self._provider = provider
        self._steps: dict[int, _Step] = {}
        self._hosted: list[Json] = []
        self._keys = 0
        self._latest = _Step(key=0, told={})
        self._goes_on = False
        self._items = request.input if isinstance(request.input, tuple) else ()
        self._call_ids = {getattr(item, "call_id", None) for item in self._items}
        tools = request.tools or ()
        self._has_screen = any(isinstance(tool, _Computer) for tool in tools)

    def start(self, index: int, told: Json) -> Iterator[Delta]:
        """Begin the step `index`, of which `told` is what there is."""
        step = self._steps[index] = self._begin(told)
        kind = told.get("type")
        if kind in _ITS_OWN:
            yield from self._tell_hosted()
        elif kind and kind not in _ECHOES:
            self._hosted.append(told)
        for content in told.get("summary") or () if kind == "thought" else ():
            yield from self._think(step, content)
        for content in told.get("content") or () if kind == "model_output" else ():
            yield from self._say(step, content)
        if kind == "function_call":
            yield from self._begin_call(step)

    def add(self, index: int, delta: Json) -> Iterator[Delta]:
        """Read more of the step `index`. Raises `UpstreamProtocolError` if it has not begun."""
        step = self._at(index)
        match delta.get("type"):
            case "thought_summary" if content := delta.get("content"):
                step.told["summary"] = [*(step.told.get("summary") or ()), content]
                yield from self._think(step, content)
            case "thought_signature":
                step.told["signature"] = delta.get("signature") or step.told.get("signature")
            case "arguments_delta" if piece := delta.get("arguments"):
                step.arguments += piece
                if not self._has_screen:
                    yield ToolCall(step.key, arguments=piece)
            case "text_annotation_delta":
                step.cited += delta.get("annotations") or ()
            case "text" | "image" | "audio" | "video" | "document":
                yield from self._say(step, delta)
            case kind if kind == step.told.get("type"):
                step.told |= {name: value for name, value in delta.items() if value != ""}
            case _:
                pass

    def stop(self, index: int) -> Iterator[Delta]:
        """End the step `index`, if it has not ended. Raises `UpstreamError` if it failed."""
        if (step := self._steps.pop(index, None)) is None:
            return
        match step.told:
            case {"type": "thought", "signature": str(signature)} if signature:
                yield Thought(key=step.key, carrier=Carrier(parts=(step.told,)).written())
            case {"type": "model_output"}:
                yield from self._cite(step)
                if error := step.told.get("error"):
                    raise reported_error(error, self._provider)
            case {"type": "function_call"}:
                yield from self._end_call(step)
            case _:
                pass

    def close(self) -> Iterator[Delta]:
        """Say what was held back until the end."""
        for index in [*self._steps]:
            yield from self.stop(index)
        yield from self._tell_hosted()

    def pause(self) -> Iterator[Delta]:
        """End an answer that another one continues: in the same message, if it was in one."""
        yield from self.close()
        self._goes_on = self._latest.told.get("type") == "model_output"

    def _at(self, index: int) -> _Step:
        if step := self._steps.get(index):
            return step
        raise UpstreamProtocolError("gemini sent more of a step that has not begun")

    def _begin(self, told: Json) -> _Step:
        self._keys += 1
        step = _Step(key=self._keys, told=told)
        if self._goes_on and told.get("type") == "model_output":
            step.key, step.before = self._latest.key, self._latest.before
        self._goes_on = False
        self._latest = step
        return step

    def _think(self, step: _Step, content: Json) -> Iterator[Delta]:
        if text := content.get("text"):
            yield Thought(text, step.key, "summary")

    def _say(self, step: _Step, content: Json) -> Iterator[Delta]:
        self.spoke = True
        match content:
            case {"type": "text", "text": str(text)}:
                step.text += text
                step.cited += content.get("annotations") or ()
                yield Text(text, step.key)
            case {"type": "image", "data": str(data)}:
                yield from self._cite(step)
                step.before = 0
                kind = content.get("mime_type", "image/png").removeprefix("image/")
                item = ImageGenerationCall(status="completed", result=data, output_format=kind)
                yield Item(item)
            case {"type": str()}:  # Responses has nothing for it, but Gemini will remember it
                self._hosted.append({"type": "model_output", "content": [content]})
            case _:
                pass

    def _cite(self, step: _Step) -> Iterator[Delta]:
        """Tell the sources of the text so far, which counts for itself."""
        for told in step.cited:
            if annotation := cite(told, step.text, step.before):
                yield Annotation(annotation, step.key)
        step.before += len(step.text)
        step.text, step.cited = "", []

    def _begin_call(self, step: _Step) -> Iterator[Delta]:
        self.spoke = True
        if step.told.get("id") in self._call_ids:  # Gemini's are numbers that recur
            step.told["id"] = None
        if not self._has_screen:
            yield ToolCall(step.key, step.told.get("id"), step.told.get("name"))

    def _end_call(self, step: _Step) -> Iterator[Delta]:
        written = msgspec.json.encode(step.told.get("arguments") or {}).decode()
        arguments = step.arguments or written
        if not self._has_screen:
            if not step.arguments:
                yield ToolCall(step.key, arguments=arguments)
        elif actions := self._on_screen(step.told, arguments):
            yield from map(Item, actions)
        else:
            yield ToolCall(step.key, step.told.get("id"), step.told.get("name"), arguments)

    def _on_screen(self, told: Json, arguments: str) -> list[ComputerCall]:
        """Return what a call wants done on the client's screen, if it is about that."""
        try:
            args = msgspec.json.decode(arguments, type=Json)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UpstreamProtocolError("gemini sent a call with broken arguments") from error
        call_id = told.get("id") or f"call_{len(self._items) + self._keys}"
        said = {"id": call_id, "name": told.get("name", ""), "args": args}
        return computer_calls(self._request, said, screen_size(self._request, self._items))

    def _tell_hosted(self) -> Iterator[Delta]:
        steps, self._hosted = self._hosted, []
        if steps:
            self._keys += 1
            yield Thought(key=self._keys, carrier=Carrier(parts=tuple(steps)).written())
            yield from map(Item, items_of(steps, self._request.include or ()))
