"""A second and simpler reading of what Gemini says, by the documentation of generateContent.

It is done with plain JSON: no code of the gateway takes part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from .account import Citation
from .reading import events_of
from .telling import Teller, Telling, Usage

FILTERED = {
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
}
STATUS = {
    "STOP": ("completed", None),
    "MAX_TOKENS": ("incomplete", "max_output_tokens"),
    **dict.fromkeys(FILTERED, ("incomplete", "content_filter")),
}
DRAWN = "image_generation_call"
STEP = re.compile(r"\.(\w+)|\['([^']*)'\]|\[(\d+)\]")


def chunks_of(body: bytes, *, stream: bool) -> list[dict[str, Any]]:
    """Return the pieces of an answer: of a stream, of a list that is one, or the only one."""
    if stream:
        return events_of(body)
    value = json.loads(body)
    return value if isinstance(value, list) else [value]


def candidates_of(chunks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the pieces of the first answer, if there are several."""
    for chunk in chunks:
        for candidate in chunk.get("candidates") or ():
            if candidate.get("index", 0) == 0:
                yield candidate


def parts_of(chunks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for candidate in candidates_of(chunks):
        yield from (candidate.get("content") or {}).get("parts") or ()


def read_gemini(body: bytes, *, stream: bool) -> Telling:
    """Read an answer of generateContent or streamGenerateContent."""
    chunks = chunks_of(body, stream=stream)
    candidates = list(candidates_of(chunks))
    teller, calls = Teller(), CallLog()
    for part in parts_of(chunks):
        if part.get("thought"):
            teller.think(part.get("text") or "")
        else:
            teller.say(part.get("text") or "")
        for call in calls.add(part.get("functionCall")):
            teller.call(call["id"], call["name"], call["args"])
    for kind, subject in hosted_in(chunks):
        teller.host(kind, subject)
    status, reason = ending_of(chunks)
    answered = teller.text or teller.calls or (DRAWN, "") in teller.hosted
    refused = reason == "content_filter" and not answered
    told = teller.tell(status, reason, usage_of(chunks), refused=refused)
    logprobs = tuple(logprobs_of(candidates))
    return replace(told, citations=tuple(cited(candidates, told.text)), logprobs=logprobs)


def hosted_in(chunks: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what tools of Google's did, by the types that OpenAI has for it."""
    for part in parts_of(chunks):
        if "executableCode" in part:
            yield "code_interpreter_call", part["executableCode"]["code"]
        elif (part.get("toolCall") or {}).get("toolType") == "FILE_SEARCH":
            yield "file_search_call", ""
        elif (part.get("inlineData") or {}).get("mimeType", "").startswith("image/"):
            yield DRAWN, ""
    for candidate in candidates_of(chunks):
        for query in ((candidate.get("groundingMetadata") or {}).get("webSearchQueries") or ())[:1]:
            yield "web_search_call", query
        for page in (candidate.get("urlContextMetadata") or {}).get("urlMetadata") or ():
            yield "web_search_call", page["retrievedUrl"]


class CallLog:
    """Collects calls, which may come in pieces: one with a name begins a call, and one that does
    not say that it will go on ends it.
    """

    def __init__(self) -> None:
        self._open: dict[str, Any] = {}

    def add(self, piece: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """Take in a piece, if there is one, and return the call that it completes, if it does."""
        if piece is None:
            return []
        if piece.get("name"):
            given = dict(piece.get("args") or {})
            self._open = {"id": piece.get("id") or "", "name": piece["name"], "args": given}
        for change in piece.get("partialArgs") or ():
            write(self._open["args"], change)
        return [] if piece.get("willContinue") else [self._open]


def write(arguments: dict[str, Any], change: Mapping[str, Any]) -> None:
    """Write one change to where its path points; a text is appended to what is there."""
    [(kind, given)] = ((name, change[name]) for name in change if name.endswith("Value"))
    value = None if kind == "nullValue" else given
    steps: list[str | int] = [
        int(index) if index else name or quoted
        for name, quoted, index in STEP.findall(change["jsonPath"])
    ]
    place: Any = arguments
    for step, following in pairwise(steps):
        place = child_of(place, step, [] if isinstance(following, int) else {})
    known = child_of(place, steps[-1], "" if isinstance(value, str) else None)
    place[steps[-1]] = known + value if isinstance(value, str) else value


def child_of(place: Any, step: str | int, default: Any) -> Any:
    if isinstance(step, str):
        return place.setdefault(step, default)
    place += [default] * (step + 1 - len(place))
    return place[step]


def cited(candidates: Iterable[Mapping[str, Any]], text: str) -> Iterator[Citation]:
    """Yield the web pages that support a stretch of the text, or that it quotes."""
    for candidate in candidates:
        grounding = candidate.get("groundingMetadata") or {}
        pages = [chunk.get("web") for chunk in grounding.get("groundingChunks") or ()]
        for support in grounding.get("groundingSupports") or ():
            for index in support.get("groundingChunkIndices") or ():
                if page := pages[index]:
                    yield citation_of(page, support["segment"], text)
        quoted = candidate.get("citationMetadata") or {}
        for source in quoted.get("citationSources") or quoted.get("citations") or ():
            if source.get("uri"):
                yield citation_of(source, source, text)


def citation_of(page: Mapping[str, Any], segment: Mapping[str, Any], text: str) -> Citation:
    """Return the citation of `page` by a stretch of `text`, which is counted in UTF-8 bytes."""
    start, end = (
        len(text.encode()[: segment.get(name, 0)].decode(errors="ignore"))
        for name in ("startIndex", "endIndex")
    )
    return Citation(url=page["uri"], title=page.get("title") or "", start=start, end=end)


def logprobs_of(candidates: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    for candidate in candidates:
        for one in (candidate.get("logprobsResult") or {}).get("chosenCandidates") or ():
            yield one["token"], one["logProbability"]


def ending_of(chunks: Iterable[Mapping[str, Any]]) -> tuple[str, str | None]:
    """Return the status and why it is not `completed`."""
    for chunk in chunks:
        if "error" in chunk:
            return "failed", None
        if (chunk.get("promptFeedback") or {}).get("blockReason"):
            return "incomplete", "content_filter"
    reasons = [one["finishReason"] for one in candidates_of(chunks) if one.get("finishReason")]
    return STATUS.get(reasons[-1], ("failed", None)) if reasons else ("failed", None)


def usage_of(chunks: Iterable[Mapping[str, Any]]) -> Usage:
    """Return the tokens of the last report; a report may lack what an earlier one had.

    Neither what tools put into the prompt nor what was thought is in the count of the other.
    """
    report: dict[str, int] = {}
    for chunk in chunks:
        report |= chunk.get("usageMetadata") or {}
    thought = report.get("thoughtsTokenCount", 0)
    return Usage(
        sent=report.get("promptTokenCount", 0) + report.get("toolUsePromptTokenCount", 0),
        cached=report.get("cachedContentTokenCount", 0),
        answered=report.get("candidatesTokenCount", 0) + thought,
        thought=thought,
    )
