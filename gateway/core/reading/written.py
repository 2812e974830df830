"""One output item of an upstream while it is written, and what of it has been told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Literal

from gateway.stream.deltas import (
    Annotation,
    CustomCall,
    Delta,
    Hosted,
    HostedArguments,
    HostedEnd,
    Item,
    Key,
    Logprobs,
    Refusal,
    Text,
    Thought,
    ToolCall,
)
from gateway.stream.whole_items import with_parts
from gateway.types import content as c
from gateway.types.items import (
    CodeInterpreterCall,
    CustomToolCall,
    FileSearchCall,
    FunctionCall,
    ImageGenerationCall,
    McpCall,
    McpListTools,
    Message,
    OutputItem,
    Reasoning,
    WebSearchCall,
)
from gateway.types.open import Unknown

__all__ = ["Written"]

_AT_WORK = (
    CodeInterpreterCall,
    FileSearchCall,
    ImageGenerationCall,
    McpCall,
    McpListTools,
    WebSearchCall,
)
"""What tells of a tool of the upstream's from the beginning of its work."""


class Written:
    """Says what more is known of the item `key`, and at its `end` whatever was not said before."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._item: OutputItem | None = None
        self._pieces: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        self._cited: Counter[int] = Counter()
        self._logged: Counter[int] = Counter()

    def begin(self, item: OutputItem) -> Iterator[Delta]:
        """Say that `item` begins, whose content is still to come."""
        self._item = item
        match item:
            case FunctionCall() if not _is_special(item):
                yield self._function(item)
            case CustomToolCall() if not _is_special(item):
                yield self._custom(item)
            case _ if isinstance(item, _AT_WORK) and item.id:
                yield Hosted(item.id, item)
            case _:
                pass

    def say(self, part: int, text: str, logprobs: tuple[c.Logprob, ...] = ()) -> Iterator[Delta]:
        if not text:
            return
        if logprobs:
            self._logged[part] += len(logprobs)
            yield Logprobs(logprobs, self._key)
        self._pieces["text", part].append(text)
        phase = self._item.phase if isinstance(self._item, Message) else None
        yield Text(text, self._key, part, phase or None)

    def cite(self, part: int, annotation: c.Annotation) -> Iterator[Delta]:
        self._cited[part] += 1
        yield Annotation(annotation, self._key)

    def refuse(self, part: int, text: str) -> Iterator[Delta]:
        self._pieces["refusal", part].append(text)
        yield Refusal(text, self._key)

    def think(self, part: int, text: str, kind: Literal["raw", "summary"]) -> Iterator[Delta]:
        self._pieces[kind, part].append(text)
        yield Thought(text, self._key, kind, part=part)

    def run(self, text: str) -> Iterator[Delta]:
        """Say more of what a tool of the upstream's is to do."""
        if isinstance(self._item, _AT_WORK) and self._item.id:
            yield HostedArguments(self._item.id, text)

    def write(self, text: str) -> Iterator[Delta]:
        """Say more of the arguments of a function."""
        if not _is_special(self._item):
            self._pieces["arguments", 0].append(text)
            yield ToolCall(self._key, arguments=text)

    def write_input(self, text: str) -> Iterator[Delta]:
        """Say more of the input of a custom tool."""
        if not _is_special(self._item):
            self._pieces["input", 0].append(text)
            yield CustomCall(self._key, input=text)

    def end(self, item: OutputItem) -> Iterator[Delta]:
        """Say what `item`, which is done, has beyond what was said of it."""
        begun, self._item = self._item, item
        match item:
            case Message():
                yield from self._end_message(item)
            case Reasoning():
                yield from self._end_reasoning(item)
            case FunctionCall() if not _is_special(item):
                yield self._function(item, self._rest("arguments", 0, item.arguments))
            case CustomToolCall() if not _is_special(item):
                yield self._custom(item, self._rest("input", 0, item.input))
            case _ if isinstance(begun, _AT_WORK) and begun.id and type(begun) is type(item):
                yield HostedEnd(begun.id, item)
            case _:
                yield Item(item)

    def _end_message(self, message: Message) -> Iterator[Delta]:
        whole = with_parts(message)
        parts = whole.content if isinstance(whole, Message) else ()
        for number, part in enumerate(parts):
            match part:
                case c.OutputText(text=text):
                    logprobs = (part.logprobs or ())[self._logged[number] :]
                    yield from self.say(number, self._rest("text", number, text), logprobs)
                    for annotation in part.annotations[self._cited[number] :]:
                        yield from self.cite(number, annotation)
                case c.Refusal(refusal=text):
                    yield from self.refuse(number, self._rest("refusal", number, text))
                case Unknown() if isinstance(text := part.get("text"), str):
                    yield from self.say(number, self._rest("text", number, text))
                case _:
                    pass

    def _end_reasoning(self, reasoning: Reasoning) -> Iterator[Delta]:
        for number, summary in enumerate(reasoning.summary):
            yield from self.think(number, self._rest("summary", number, summary.text), "summary")
        for number, thought in enumerate(reasoning.content or ()):
            yield from self.think(number, self._rest("raw", number, thought.text), "raw")
        if reasoning.encrypted_content:
            yield Thought(key=self._key, carrier=reasoning.encrypted_content)

    def _function(self, call: FunctionCall, arguments: str = "") -> ToolCall:
        namespace = call.namespace or None
        return ToolCall(self._key, call.call_id, call.name, arguments, namespace)

    def _custom(self, call: CustomToolCall, text: str = "") -> CustomCall:
        return CustomCall(self._key, call.call_id, call.name, text, call.namespace or None)

    def _rest(self, member: str, part: int, whole: str) -> str:
        """Return what of `whole` was not told, if it goes on where that stands."""
        told = "".join(self._pieces[member, part])
        return whole[len(told) :] if whole.startswith(told) else ""


def _is_special(item: OutputItem | None) -> bool:
    """Say whether `item` is a call of which deltas could not tell everything: one by a program, or
    one that nobody waits for.
    """
    return isinstance(item, FunctionCall | CustomToolCall) and bool(item.caller or item.async_)
