"""One output item of an upstream while it is written, and what of it has been told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, count
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


class _Part:
    """What has been told of one part of an item: `pieces` of its text, and how much besides."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.cited = 0
        self.logged = 0

    def rest(self, whole: str) -> str:
        """Return what of `whole` was not told, if it goes on where that stands."""
        told = "".join(self.pieces)
        return whole[len(told) :] if whole.startswith(told) else ""


class Written:
    """Says what more is known of the item `key`, and at its `end` whatever was not said before.

    Parts of one kind are known by their order: servers do not agree on how to number them.
    """

    def __init__(self, key: Key) -> None:
        self._key = key
        self._item: OutputItem | None = None
        self._parts: defaultdict[str, defaultdict[int, _Part]] = defaultdict(
            lambda: defaultdict(_Part)
        )

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
        told = self._parts["text"][part]
        told.pieces.append(text)
        if logprobs:
            told.logged += len(logprobs)
            yield Logprobs(logprobs, self._key)
        phase = self._item.phase if isinstance(self._item, Message) else None
        yield Text(text, self._key, part, phase or None)

    def cite(self, part: int, annotation: c.Annotation) -> Iterator[Delta]:
        self._parts["text"][part].cited += 1
        yield Annotation(annotation, self._key)

    def refuse(self, part: int, text: str) -> Iterator[Delta]:
        self._parts["refusal"][part].pieces.append(text)
        yield Refusal(text, self._key)

    def think(self, part: int, text: str, kind: Literal["raw", "summary"]) -> Iterator[Delta]:
        self._parts[kind][part].pieces.append(text)
        yield Thought(text, self._key, kind, part=part)

    def run(self, text: str) -> Iterator[Delta]:
        """Say more of what a tool of the upstream's is to do."""
        if isinstance(self._item, _AT_WORK) and self._item.id:
            yield HostedArguments(self._item.id, text)

    def write(self, text: str) -> Iterator[Delta]:
        """Say more of the arguments of a function."""
        if not _is_special(self._item):
            self._parts["arguments"][0].pieces.append(text)
            yield ToolCall(self._key, arguments=text)

    def write_input(self, text: str) -> Iterator[Delta]:
        """Say more of the input of a custom tool."""
        if not _is_special(self._item):
            self._parts["arguments"][0].pieces.append(text)
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
                yield self._function(item, self._parts["arguments"][0].rest(item.arguments))
            case CustomToolCall() if not _is_special(item):
                yield self._custom(item, self._parts["arguments"][0].rest(item.input))
            case _ if isinstance(begun, _AT_WORK) and begun.id and type(begun) is type(item):
                yield HostedEnd(begun.id, item)
            case _:
                yield Item(item)

    def _end_message(self, message: Message) -> Iterator[Delta]:
        whole = with_parts(message)
        texts, refusals = self._places("text"), self._places("refusal")
        for part in whole.content if isinstance(whole, Message) else ():
            match part:
                case c.OutputText(text=text):
                    place, told = next(texts)
                    yield from self.say(
                        place, told.rest(text), (part.logprobs or ())[told.logged :]
                    )
                    for annotation in part.annotations[told.cited :]:
                        yield from self.cite(place, annotation)
                case Unknown() if isinstance(text := part.get("text"), str):
                    place, told = next(texts)
                    yield from self.say(place, told.rest(text))
                case c.Refusal(refusal=text):
                    place, told = next(refusals)
                    yield from self.refuse(place, told.rest(text))
                case _:
                    pass

    def _end_reasoning(self, reasoning: Reasoning) -> Iterator[Delta]:
        for (place, told), part in zip(self._places("summary"), reasoning.summary, strict=False):
            yield from self.think(place, told.rest(part.text), "summary")
        for (place, told), part in zip(self._places("raw"), reasoning.content or (), strict=False):
            yield from self.think(place, told.rest(part.text), "raw")
        if reasoning.encrypted_content:
            yield Thought(key=self._key, carrier=reasoning.encrypted_content)

    def _places(self, kind: str) -> Iterator[tuple[int, _Part]]:
        """Yield the numbers of the parts of `kind` and what was told of them, and then new ones."""
        told = self._parts[kind]
        numbers = tuple(told)
        for number in chain(numbers, count(max(numbers, default=-1) + 1)):
            yield number, told[number]

    def _function(self, call: FunctionCall, arguments: str = "") -> ToolCall:
        namespace = call.namespace or None
        return ToolCall(self._key, call.call_id, call.name, arguments, namespace)

    def _custom(self, call: CustomToolCall, text: str = "") -> CustomCall:
        return CustomCall(self._key, call.call_id, call.name, text, call.namespace or None)


def _is_special(item: OutputItem | None) -> bool:
    """Say whether `item` is a call of which deltas could not tell everything: one by a program, or
    one that nobody waits for.
    """
    return isinstance(item, FunctionCall | CustomToolCall) and bool(item.caller or item.async_)
