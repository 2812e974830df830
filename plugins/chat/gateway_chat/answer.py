"""What the messages of an answer say, piece by piece or all at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from gateway.plugin import Delta, Item, Refusal, Text, Thought
from gateway.types.request import Request
from gateway_chat.calls import CallReader
from gateway_chat.citations import found_by_tools
from gateway_chat.images import image_item, image_url
from gateway_chat.quirks import Quirks
from gateway_chat.reasoning import ReasoningState
from gateway_chat.speech import Speech
from gateway_chat.think_tags import TagSplitter
from gateway_chat.wire import CallPiece, Chunk, ExtraContent, Message, Part, Source

__all__ = ["AnswerReader"]

_WITHOUT_TEXT = frozenset(
    {"none", "details", "signatures"}
)  # what `reasoning_out` wants no text for
_OPENING, _CLOSING = "<thought>", "</thought>"


class AnswerReader:
    """Reads the messages of one answer in their order: reasoning, text, images, calls.

    Vendor state goes ahead of what it belongs to, if it comes in time, else to the end. References
    point into `request`, which is what is answered.
    """

    def __init__(self, quirks: Quirks, request: Request | None) -> None:
        self._request = request
        self._calls = CallReader()
        self._reasoning = ReasoningState(keep_text=quirks.reasoning_out not in _WITHOUT_TEXT)
        self._speech = Speech()
        self._splitter = None if quirks.think_tags == "none" else TagSplitter(quirks.think_tags)
        self._images: set[str] = set()
        self._in_thought = False

    def read_sources(self, chunk: Chunk) -> None:
        """Take in the sources that `chunk` lists beside its choices."""
        self._speech.sources.read(chunk)

    def read(self, message: Message, deltas: list[Delta]) -> None:
        """Add what `message` says to `deltas`."""
        thought = message.reasoning_content or message.reasoning or message.reasoning_text
        if message.reasoning_details:
            self._reasoning.add_details(message.reasoning_details)
            thought = thought or "".join(map(_detail_text, message.reasoning_details))
        if thought:
            self._think(thought, deltas)
        if message.content or message.extra_content:
            self._read_content(message, deltas)
        if message.annotations or message.refusal or message.images or message.audio:
            self._read_rest(message, deltas)
        if message.tool_calls:
            self._read_calls(message.tool_calls, deltas)
        elif message.function_call:
            self._read_calls((CallPiece(index=0, function=message.function_call),), deltas)

    def _read_rest(self, message: Message, deltas: list[Delta]) -> None:
        """Read what goes along with the text, or stands in its place."""
        if message.audio and message.audio.transcript and not message.content:
            self._say(message.audio.transcript, deltas)
        if message.annotations:
            self._speech.cite(message.annotations, deltas)
        if message.refusal:
            self._refuse(message.refusal, deltas)
        for image in message.images or ():
            self._show(image_url(image), deltas)

    def close(self, deltas: list[Delta]) -> None:
        """Add what was held back until the end."""
        if self._splitter:
            self._split(self._splitter.close(), deltas)
        alone = not (self._calls.began or self._images)
        self._speech.close(deltas, alone=alone)
        deltas += self._calls.flush()
        self._end_reasoning(deltas)

    def _think(
        self, text: str, deltas: list[Delta], kind: Literal["raw", "summary"] | None = None
    ) -> None:
        if not text:
            return
        if self._speech.open or self._calls.began:
            self._speech.interrupt(deltas)
            deltas += self._calls.flush()
        self._reasoning.add_text(text)
        deltas.append(Thought(text, kind=kind or self._reasoning.kind))

    def _end_reasoning(self, deltas: list[Delta]) -> None:
        if self._reasoning.pending and (carrier := self._reasoning.take()):
            deltas.append(Thought(carrier=carrier))

    def _give_way(self, deltas: list[Delta]) -> None:
        """End the message and the reasoning before something else that is said."""
        self._speech.interrupt(deltas)
        self._end_reasoning(deltas)

    def _say(self, text: str, deltas: list[Delta]) -> None:
        if text := self._speech.ready(text):
            if not self._speech.open:
                deltas += self._calls.flush()
                self._end_reasoning(deltas)
            self._speech.say(text, deltas)

    def _read_content(self, message: Message, deltas: list[Delta]) -> None:
        content = message.content
        if message.extra_content or self._in_thought:
            content = self._read_extra(message.extra_content, content, deltas)
        if not isinstance(content, str):
            for part in content or ():
                self._read_part(part, deltas)
        elif self._splitter:
            self._speech.skip(len(content))
            self._split(self._splitter.feed(content), deltas)
        elif content:
            self._say(content, deltas)

    def _read_extra(
        self,
        extra: ExtraContent | None,
        content: str | tuple[Part, ...] | None,
        deltas: list[Delta],
    ) -> str | tuple[Part, ...] | None:
        """Return what of `content` is said aloud: Gemini marks the summary of its thoughts."""
        google = extra and extra.google
        if google and google.thought_signature:
            self._reasoning.add_signature(google.thought_signature)
        if not isinstance(content, str):
            return content
        if google and google.thought:
            self._in_thought = True
            self._think(content.removeprefix(_OPENING).removesuffix(_CLOSING), deltas, "summary")
            return None
        self._in_thought = False
        return content.removeprefix(_CLOSING)

    def _split(self, pieces: list[Text | Thought], deltas: list[Delta]) -> None:
        """Say and think what stood in one content; the text's offsets do not count the rest."""
        for piece in pieces:
            if isinstance(piece, Thought):
                self._think(piece.text, deltas)
            else:
                self._speech.skip(-len(piece.text))
                self._say(piece.text, deltas)

    def _refuse(self, text: str, deltas: list[Delta]) -> None:
        self._give_way(deltas)
        deltas.append(Refusal(text))

    def _read_part(self, part: Part, deltas: list[Delta]) -> None:
        if part.thinking or part.summary:
            self._read_thinking(part, deltas)
        elif part.text:
            self._say(part.text, deltas)
        elif part.refusal:
            self._refuse(part.refusal, deltas)
        elif part.image_url:
            self._show(image_url(part.image_url), deltas)
        else:
            self._read_reference(part, deltas)

    def _read_thinking(self, part: Part, deltas: list[Delta]) -> None:
        if part.signature:
            self._reasoning.add_signature(part.signature)
        if part.thinking:
            self._think(_part_text(part.thinking), deltas)
        else:
            self._think(_part_text(part.summary), deltas, "summary")

    def _read_reference(self, part: Part, deltas: list[Delta]) -> None:
        """Read Mistral's ways to cite: what its own tool has found, or what the client's have."""
        found = [Source(url=part.url, title=part.title)] if part.type == "tool_reference" else []
        for name in part.reference_ids or ():
            found += filter(None, [self._found_by_tools.get(str(name))])
        for source in found:
            if source.url:
                self._speech.cite_here(source.url, source.title or "", deltas)

    @cached_property
    def _found_by_tools(self) -> Mapping[str, Source]:
        return found_by_tools(self._request)

    def _show(self, url: str, deltas: list[Delta]) -> None:
        """Hand over the image at `url`, once, or say where it is if it is somewhere else."""
        if not url or url in self._images:
            return
        self._images.add(url)
        if item := image_item(url):
            self._give_way(deltas)
            deltas.append(Item(item))
        else:
            self._say(f"![image]({url})", deltas)

    def _read_calls(self, pieces: tuple[CallPiece, ...], deltas: list[Delta]) -> None:
        for piece in pieces:
            google = piece.extra_content and piece.extra_content.google
            if google and google.thought_signature:
                self._reasoning.add_signature(google.thought_signature, piece.id or "")
        self._speech.interrupt(deltas)
        if not self._calls.began:  # later on, more of a call may follow, which must stay open
            self._end_reasoning(deltas)
        deltas += self._calls.read(pieces)


def _part_text(thinking: str | tuple[Part, ...] | None) -> str:
    if isinstance(thinking, str):
        return thinking
    return "".join(part.text for part in thinking or () if part.text)


def _detail_text(detail: dict[str, Any]) -> str:
    text = detail.get("text") or detail.get("summary")
    return text if isinstance(text, str) else ""
