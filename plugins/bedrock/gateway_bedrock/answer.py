"""What the blocks of an answer say, whole or in pieces."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from gateway.plugin import Annotation, Delta, Item, Text, Thought, ToolCall
from gateway.plugin.carriers import carry
from gateway.plugin.support import WEB_SEARCHES
from gateway.types.content import FileCitation, UrlCitation
from gateway.types.items import CodeInterpreterCall, ImageGenerationCall, WebSearchCall

__all__ = ["SYSTEM_TOOLS", "AnswerReader", "Json"]

Json = dict[str, Any]

SYSTEM_TOOLS = {"code_interpreter": "nova_code_interpreter"} | dict.fromkeys(
    WEB_SEARCHES, "nova_grounding"
)
"""Amazon's names for the tools that it runs itself."""
_HOSTED = "server_tool_use"
_SPOKEN = {"text", "citation", "citationsContent"}


class _Block:
    """A block on its way, and what its pieces have said; it began at `begin` of the message."""

    def __init__(self, index: int, begin: int) -> None:
        self.index, self.begin = index, begin
        self.pieces: list[str] = []
        self.citations: list[Json] = []
        self.sealed = {"signature": "", "redactedContent": ""}
        self.call: Json = {}
        self.result: Json = {}
        self.image: Json = {}


class AnswerReader:
    """Reads the blocks of one answer, each by its index, in their order.

    `names` are the client's by those that its functions have at Bedrock.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.began = False
        self._names = names
        self._blocks: dict[int, _Block] = {}
        self._position = 0  # in the characters of the message
        self._row: list[tuple[str, Json]] = []

    def read(self, index: int, piece: Json) -> Iterator[Delta]:
        """Say what `piece` means, be it a whole block or less."""
        if index not in self._blocks:
            if not piece.keys() & _SPOKEN:
                self._position = 0  # the message is over
            call: Json = piece.get("toolUse") or {}
            if name := self._names.get(call.get("name", "")):
                call["name"] = name
            if "toolResult" not in piece and call.get("type") != _HOSTED:
                yield from self._end_row()
            self._blocks[index], self.began = _Block(index, self._position), True
        for kind, said in piece.items():
            for delta in _READERS[kind](self._blocks[index], said) if kind in _READERS else ():
                self._position += len(delta.text) if isinstance(delta, Text) else 0
                yield delta

    def close(self, index: int) -> Iterator[Delta]:
        """Say what is known at the end of a block."""
        block = self._blocks.pop(index, None) or _Block(index, 0)
        for citation in block.citations if self._position else ():
            yield Annotation(_source(citation, block.begin, self._position))
        text = "".join(block.pieces)
        if signature := block.sealed["signature"]:
            thought = {"reasoningText": {"text": text, "signature": signature}}
            yield carry(index, {"reasoningContent": thought})
        if redacted := block.sealed["redactedContent"]:
            yield carry(index, {"reasoningContent": {"redactedContent": redacted}})
        if block.call.get("type") == _HOSTED:
            asked = msgspec.json.decode(text or "{}", type=Json)
            self._row.append(("toolUse", {**block.call, "input": asked}))
        elif block.call and not text:
            yield ToolCall(index, arguments="{}")
        if block.result:
            self._row.append(("toolResult", block.result))
        if block.image and text:
            form = block.image.get("format")
            yield Item(ImageGenerationCall(status="completed", result=text, output_format=form))

    def close_all(self) -> Iterator[Delta]:
        """Say what is known at the end of the answer."""
        for index in sorted(self._blocks):
            yield from self.close(index)
        yield from self._end_row()

    def _end_row(self) -> Iterator[Delta]:
        """Tell of the vendor's own tools, whose calls and results it wants back as they were."""
        row, self._row = self._row, []
        results = {one["toolUseId"]: one for kind, one in row if kind == "toolResult"}
        calls = {one["toolUseId"]: one for kind, one in row if kind == "toolUse"}
        whole = calls.keys() & results.keys()  # a call without a result was cut off
        if blocks := [{kind: one} for kind, one in row if one["toolUseId"] in whole]:
            yield carry(f"tools {min(whole)}", *blocks)
        for name, call in calls.items():
            if name in whole and (item := _hosted_item(call, results[name])):
                yield Item(item)


def _read_cited(block: _Block, said: Json) -> Iterator[Delta]:
    block.citations += said.get("citations") or ()
    yield from (Text(part["text"]) for part in said.get("content") or ())


def _read_thought(block: _Block, said: Json) -> Iterator[Delta]:
    said = {**said, **(said.get("reasoningText") or {})}
    if text := said.get("text"):
        block.pieces.append(text)
        yield Thought(text, key=block.index, kind="summary")
    for name in block.sealed:
        block.sealed[name] += said.get(name) or ""


def _read_call(block: _Block, said: Json) -> Iterator[Delta]:
    """Read a call: pieces bring its arguments as text, a whole block as the object."""
    asked = said.pop("input", "")
    arguments = asked if isinstance(asked, str) else msgspec.json.encode(asked).decode()
    block.pieces.append(arguments)
    begins, block.call = not block.call, block.call or said
    if block.call.get("type") != _HOSTED:
        names = (said.get("toolUseId"), said.get("name")) if begins else (None, None)
        yield ToolCall(block.index, *names, arguments)


def _read_result(block: _Block, said: Json | list[Any]) -> Iterator[Delta]:
    begun = said if isinstance(said, dict) else {**block.result, "content": said}
    earlier = block.result.get("content", [])
    block.result = {**begun, "content": [*earlier, *begun.get("content", ())]}
    yield from ()


def _read_image(block: _Block, said: Json) -> Iterator[Delta]:
    block.image = block.image or said
    source: Json = said.get("source") or {}
    block.pieces.append(source.get("bytes") or "")
    yield from ()


_READERS: dict[str, Callable[[_Block, Any], Iterator[Delta]]] = {
    "text": lambda _, said: iter([Text(said)]),
    "citation": lambda block, said: _read_cited(block, {"citations": [said]}),
    "citationsContent": _read_cited,
    "reasoningContent": _read_thought,
    "toolUse": _read_call,
    "toolResult": _read_result,
    "image": _read_image,
}


def _source(citation: Json, begin: int, end: int) -> UrlCitation | FileCitation:
    """Return the source of the text from `begin` to `end`, in characters of its message."""
    places: Json = citation.get("location") or {}
    place: Json = next(iter(places.values()), places)
    title: str = citation.get("title") or ""
    source: str = place.get("url") or citation.get("source") or ""
    if source.startswith(("http://", "https://")):
        return UrlCitation(url=source, title=title, start_index=begin, end_index=end)
    # Documents have no ids here: their place in the request is what tells them apart.
    file_id = f"document_{place['documentIndex']}" if "documentIndex" in place else source
    return FileCitation(file_id=file_id, filename=title or source, index=end)


def _hosted_item(call: Json, result: Json) -> WebSearchCall | CodeInterpreterCall | None:
    """Return what a client sees of a call of the vendor's own tool, None for an unknown one."""
    status = "failed" if result.get("status") == "error" else "completed"
    query, code = (str(call["input"].get(name) or "") for name in ("query", "snippet"))
    match call.get("name"):
        case "nova_grounding":
            action = {"type": "search", "query": query, "queries": [query]}
            return WebSearchCall(status=status, action=action)
        case "nova_code_interpreter":
            told: list[Json] = [part.get("json") or {} for part in result["content"]]
            logs = "".join(f"{one.get('stdOut') or ''}{one.get('stdErr') or ''}" for one in told)
            outputs = ({"type": "logs", "logs": logs},)
            return CodeInterpreterCall(status=status, container_id="", code=code, outputs=outputs)
        case _:
            return None
